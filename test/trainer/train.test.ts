import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import type { Recipe } from '../../src/recipes/recipe.js'
import { load } from '../../src/tasks/node/load.js'
import { findRecipe } from '../../src/trainer/find-recipe.js'
import type { StepReport } from '../../src/trainer/step-report.js'
import { train } from '../../src/trainer/train.js'
import type { TrainOptions } from '../../src/trainer/train-options.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { expectClose } from '../support/expect-close.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { writeTinyRouted, writeTinyVit } from '../support/tiny-training.js'

const folder = temporaryFolder()
const vit = join(folder, 'vit')
const pictures = join(folder, 'pictures')
/** The classes can be told by their colour. */
const colours = { '0': [230, 40, 40], '1': [40, 40, 230] } as const

/** A bLViT that {@link vit} can become. */
let routed = ''

beforeAll(async () => {
  await writeTinyVit(vit)
  routed = await writeTinyRouted(folder)
  for (const [label, [r, g, b]] of Object.entries(colours)) {
    await mkdir(join(pictures, label), { recursive: true })
    for (let i = 0; i < 12; i++) {
      const create = { width: 32, height: 32, channels: 3, background: { r, g: g + 12 * i, b } } as const
      await sharp({ create })
        .jpeg()
        .toFile(join(pictures, label, `${i}.jpg`))
    }
  }
})

const loss = { tokens: 2.5, classToken: 2.5, logits: 1, ranking: 0.1 }
const twoStages: Recipe = {
  about: 'Both stages in a few steps',
  stages: [
    { objective: 'block imitation', pictures: 32, batch: 8, learningRate: 1e-2 },
    { objective: 'end to end', pictures: 48, batch: 8, learningRate: 1e-3, keepRatio: [0.25, 0.5, 1], loss },
  ],
}
/** The cheaper of them, in three steps, for what doesn't depend on what is learned. */
const imitation: Recipe = {
  about: 'Block imitation alone',
  stages: [{ objective: 'block imitation', pictures: 24, batch: 8, learningRate: 1e-2 }],
}
const supervised: Recipe = {
  about: 'From labels alone',
  stages: [{ objective: 'end to end', pictures: 480, batch: 8, learningRate: 1e-3, loss: { labels: 1 } }],
}

function options(name: string, changes: Partial<TrainOptions> = {}): TrainOptions {
  return { output: join(folder, name), threads: 1, ...changes }
}

/** The two stages without a stop, trained once for all tests that compare with them. */
let whole: Promise<unknown> | undefined
function trainedWhole(): Promise<unknown> {
  whole ??= train(vit, pictures, twoStages, options('whole', { to: routed, checkpointEvery: 100 }))
  return whole
}

const weightsOf = (name: string) => readFile(join(folder, name, 'model.safetensors'))
const logOf = (name: string) => readFile(join(folder, `${name}.training`, 'log.jsonl'), 'utf8')
const trainingFiles = (name: string) => readdir(join(folder, `${name}.training`))

describe('train', () => {
  test('a plain ViT learns classes from labels, and the best weights win', async () => {
    const validation = { validation: [pictures], validateEvery: 20 }
    const { validations } = await train(vit, pictures, supervised, options('supervised', validation))
    const best = Math.max(...validations.map(({ results }) => results[0]?.top1.share ?? 0))
    expect(best).toBeGreaterThan(0.9)
    expect(validations.filter((validation) => validation.best).length).toBeGreaterThan(0)
    expect(await trainingFiles('supervised')).toEqual(
      expect.arrayContaining(['accuracy.svg', 'best.safetensors', 'log.jsonl', 'loss.svg']),
    )
    await using model = await load(join(folder, 'supervised'))
    const { top } = await model.classify(join(pictures, '1', '3.jpg'))
    expect(top[0]?.label).toBe('1')
    const card = await readFile(join(folder, 'supervised', 'README.md'), 'utf8')
    expect(card).toContain(`the best of ${validations.length} times`)
  })

  test.each([3, 4])(
    'stopped after %d steps of two stages and resumed it ends with the same bits',
    async (stop) => {
      const to = { to: routed, checkpointEvery: 100 }
      await trainedWhole()
      const interruption = new AbortController()
      let made = 0
      const onStep = () => {
        made += 1
        if (made === stop) interruption.abort()
      }
      const name = `stopped-${stop}`
      const stopped = { ...options(name, to), signal: interruption.signal, onStep }
      await expect(train(vit, pictures, twoStages, stopped)).rejects.toMatchObject({ code: 'ABORTED' })
      const again: StepReport[] = []
      const resumed = {
        ...options(name, to),
        resume: true,
        onStep: (report: StepReport) => again.push(report),
      }
      await train(vit, pictures, twoStages, resumed)
      expect(again).toHaveLength(10 - stop)
      expect((await weightsOf(name)).equals(await weightsOf('whole'))).toBe(true)
      expect(await logOf(name)).toBe(await logOf('whole'))
    },
  )

  describe('with pictures to validate with', () => {
    const endToEnd: Recipe = {
      ...twoStages,
      stages: twoStages.stages.slice(1).map((stage) => ({ ...stage, pictures: 32 })),
    }
    const validated = { validation: [pictures], validateEvery: 2, validationSettings: [{ keepRatio: 0.5 }] }
    let trained: Promise<unknown> | undefined
    const trainedValidated = () => {
      trained ??= train(vit, pictures, endToEnd, options('validated', { ...validated, to: routed }))
      return trained
    }

    test('stopped while it validates and resumed it ends with the same log and bits', async () => {
      await trainedValidated()
      const interruption = new AbortController()
      // the validation after this step begins at once
      const onStep = ({ step }: StepReport) => step === 2 && interruption.abort()
      const again = options('stopped-validation', { ...validated, to: routed })
      const stopped = { ...again, signal: interruption.signal, onStep }
      await expect(train(vit, pictures, endToEnd, stopped)).rejects.toMatchObject({ code: 'ABORTED' })
      await train(vit, pictures, endToEnd, { ...again, resume: true })
      expect((await weightsOf('stopped-validation')).equals(await weightsOf('validated'))).toBe(true)
      expect(await logOf('stopped-validation')).toBe(await logOf('validated'))
    })

    test('a resume with other validation pictures, ratios or threads is another training', async () => {
      await trainedValidated()
      const again = { to: routed, resume: true, overwrite: true }
      for (const other of [
        {},
        { ...validated, validationSettings: [{ keepRatio: 1 }] },
        { ...validated, threads: 2 },
      ]) {
        const resumed = train(vit, pictures, endToEnd, options('validated', { ...again, ...other }))
        await expect(resumed).rejects.toMatchObject({
          code: 'BAD_OPTION',
          message: expect.stringMatching(/ {2}(validation|threads): .* there, .* now/),
        })
      }
    })
  })

  test('what a later stage can’t do is refused before the first, and earlier checkpoints stay', async () => {
    const blvit = join(folder, 'whole')
    await trainedWhole()
    const before = await trainingFiles('whole')
    const steps: StepReport[] = []
    const onStep = (report: StepReport) => steps.push(report)
    const again = (changes: Partial<TrainOptions>) =>
      train(blvit, pictures, twoStages, options('whole', { overwrite: true, onStep, ...changes }))
    // a bLViT, its own teacher here, teaches no second stage
    await expect(again({})).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    const reordered = join(folder, 'reordered')
    const { architecture, ...files } = await openModel(vit)
    await writeModelFolder(
      reordered,
      { ...files, architecture, labels: files.labels.toReversed() },
      { card: '' },
    )
    await expect(again({ teacher: reordered })).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringMatching(/in another order: class 0, "0", is its class 9\. Take a teacher/),
    })
    await expect(again({ teacher: vit, workers: 300 })).rejects.toMatchObject({ code: 'BAD_OPTION' })
    const missing = { teacher: vit, validation: [join(folder, 'nowhere')] }
    await expect(again(missing)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const impossible = { teacher: vit, validation: [pictures], validationSettings: [{ keepRatio: 1e-4 }] }
    await expect(again(impossible)).rejects.toMatchObject({ code: 'BAD_OPTION' })
    expect(steps).toEqual([])
    expect(await trainingFiles('whole')).toEqual(before)
  })

  test('pictures without labels can be learned from in any folders, but not validated with', async () => {
    const album = join(folder, 'album')
    await mkdir(join(album, '2023'), { recursive: true })
    for (const place of ['a.jpg', '2023/b.jpg'])
      await writeFile(join(album, place), await readFile(join(pictures, '0', '1.jpg')))
    const to = { to: routed, validation: [join(album, '2023')] }
    await expect(train(vit, album, imitation, options('album-model', to))).rejects.toMatchObject({
      code: 'BAD_DATA',
      message: expect.stringContaining('no labelled pictures to validate with'),
    })
    const { reports } = await train(vit, album, imitation, options('album-model', { to: routed }))
    expect(reports.flatMap(({ complaints }) => complaints)).toEqual([])
  })

  test('two checkpoints are kept; what killed writes have left is cleared away, and a damaged one names the one before it', async () => {
    const output = options('damaged', { to: routed, checkpointEvery: 1 })
    await train(vit, pictures, imitation, output)
    const names = (await trainingFiles('damaged')).filter((name) => name.startsWith('stage-'))
    expect(names.sort()).toEqual(['stage-1-step-2.safetensors', 'stage-1-step-3.safetensors'])
    const beside = join(folder, 'damaged.training')
    const leftover = '.stage-1-step-3.safetensors.0123456789ab.tmp'
    await writeFile(join(beside, leftover), 'half a checkpoint')
    const newest = join(beside, 'stage-1-step-3.safetensors')
    const bytes = await readFile(newest)
    await writeFile(newest, bytes.subarray(0, 1000))
    const resumed = () => train(vit, pictures, imitation, { ...output, resume: true, overwrite: true })
    await expect(resumed()).rejects.toMatchObject({
      code: 'BAD_WEIGHTS',
      message: expect.stringContaining('Delete it to go on from stage-1-step-2.safetensors.'),
    })
    await writeFile(newest, bytes)
    await resumed()
    expect(await trainingFiles('damaged')).not.toContain(leftover)
  })

  test('each step of a stage that routes draws a keep ratio of the recipe, and the log tells it', async () => {
    await trainedWhole()
    const records = (await logOf('whole'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { stage: number; setting?: string })
    const settings = (stage: number) =>
      new Set(records.filter((record) => record.stage === stage).map(({ setting }) => setting))
    expect(settings(1)).toEqual(new Set([undefined]))
    expect([...settings(2)].sort()).toEqual(['keep ratio 0.25', 'keep ratio 0.5', 'keep ratio 1'])
  })

  test('frozen parameters keep their bits, and all others don’t', async () => {
    const frozen = { match: String.raw`^blocks\.\d+\.(attn|mlp|norm)`, frozen: true }
    const recipe: Recipe = {
      about: 'x',
      stages: [
        { objective: 'end to end', pictures: 16, batch: 8, learningRate: 1e-2, loss, parameters: [frozen] },
      ],
    }
    await train(vit, pictures, recipe, options('frozen', { to: routed, seed: 3 }))
    const [before, after] = await Promise.all([openModel(vit), openModel(join(folder, 'frozen'))])
    for (const [name, tensor] of before.weights) {
      const own = after.weights.get(name)
      if (!own) throw new Error(name)
      const same = Buffer.from((await readFloats(tensor)).buffer).equals(
        Buffer.from((await readFloats(own)).buffer),
      )
      expect([name, same]).toEqual([name, new RegExp(frozen.match).test(name)])
    }
  })

  test('two batches of four make the step of one of eight', async () => {
    const stage = { objective: 'end to end', pictures: 16, learningRate: 1e-3, loss: { labels: 1 } } as const
    const weights = async (name: string, sizes: { batch: number; accumulate?: number }) => {
      const recipe: Recipe = { about: 'x', stages: [{ ...stage, ...sizes }] }
      const { reports } = await train(vit, pictures, recipe, options(name, { seed: 2 }))
      expect(reports).toMatchObject([{ steps: 2 }])
      const { weights: stored } = await openModel(join(folder, name))
      return readFloats(defined(stored.get('blocks.0.attn.qkv.weight'), 'a weight'))
    }
    const whole = await weights('eight', { batch: 8 })
    expectClose(await weights('four-and-four', { batch: 4, accumulate: 2 }), whole, { atol: 2e-5 })
  })

  test('a dry run of the paper’s recipe makes small steps and foretells large ones', async () => {
    const paper = await findRecipe('paper', { pictures: 10_240, batch: 8 })
    const dry = options('dry-paper', { to: routed, dryRun: true })
    const { reports, peakMemoryBytes } = await train(vit, pictures, paper, dry)
    const [report] = reports
    expect(report).toMatchObject({ step: 4, steps: 10, setting: 'keep ratio 0.25' })
    const { msPerStep = 0, imagesPerSecond = 0 } = report ?? {}
    expect(msPerStep).toBeCloseTo((1000 * 1024) / imagesPerSecond, 6)
    // a run of all 1,024 pictures would take more than the whole process has had
    expect(peakMemoryBytes).toBeLessThan(2e9)
    expect(await readdir(folder)).not.toContain('dry-paper.training')
  })

  test('stochastic depth leaves branches out by the seed', async () => {
    const stage = {
      objective: 'end to end',
      pictures: 16,
      batch: 8,
      learningRate: 1e-3,
      loss: { labels: 1 },
    } as const
    const recipe = (rate: number): Recipe => ({ about: 'x', stages: [{ ...stage, stochasticDepth: rate }] })
    await train(vit, pictures, recipe(0), options('all-branches'))
    await train(vit, pictures, recipe(0.5), options('some-branches'))
    await train(vit, pictures, recipe(0.5), options('same-branches'))
    expect((await weightsOf('some-branches')).equals(await weightsOf('same-branches'))).toBe(true)
    expect((await weightsOf('some-branches')).equals(await weightsOf('all-branches'))).toBe(false)
  })

  test.each(['evit:0.5,blocks=1/2', 'tome:4,proportional=false', 'random:0.5,blocks=2'])(
    'a ViT that lets tokens go learns classes too: %s',
    async (reduce) => {
      const [stage] = supervised.stages
      const recipe = {
        about: 'x',
        stages: [{ ...defined(stage, 'a stage'), pictures: 320, reduce }],
      } as Recipe
      const name = reduce.slice(0, 4)
      const losses: number[] = []
      const onStep = (report: StepReport) => {
        expect(report.setting).toBe(reduce)
        losses.push(defined(report.losses.loss, 'the loss'))
      }
      const validation = { validation: [pictures], validateEvery: 40 }
      const { validations } = await train(vit, pictures, recipe, options(name, { ...validation, onStep }))
      expect(losses.at(-1)).toBeLessThan(defined(losses[0], 'a loss') / 2)
      expect(validations.at(-1)?.results).toMatchObject([{ setting: reduce, reduce }])
      expect(validations.at(-1)?.results[0]?.top1.share).toBeGreaterThan(0.9)
      const card = await readFile(join(folder, name, 'README.md'), 'utf8')
      expect(card).toContain(`| 0.001, cosine | ${reduce} |`)
    },
  )

  test('what a reduced student can’t learn or be is refused before it learns', async () => {
    const [, second] = twoStages.stages
    const stage = { ...defined(second, 'a stage'), keepRatio: 1, reduce: 'tome:4' }
    const refused = (changes: object, to?: string) =>
      train(vit, pictures, { about: 'x', stages: [{ ...stage, ...changes }] } as Recipe, {
        ...options('refused-reduction'),
        ...(to === undefined ? {} : { to }),
      })
    await expect(refused({})).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining('tokens'),
    })
    await expect(refused({ loss: { labels: 1 } }, routed)).rejects.toMatchObject({ code: 'BAD_OPTION' })
    await expect(refused({ loss: { labels: 1 }, reduce: 'tom:4' })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringMatching(/stages\.0\.reduce: There is no reduction "tom"\. Did you mean "tome"/),
    })
    await expect(refused({ loss: { labels: 1 }, reduce: ['tome:4', 'tome:2'] })).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining('tome:4 and tome:2 are two'),
    })
    const noWay = { from: 'tome:4', to: 'evit:0.7' }
    await expect(refused({ loss: { labels: 1 }, reduce: noWay })).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining('There is no way from tome:4 to evit:0.7'),
    })
  })

  describe('a keep rate that falls while a stage goes on', () => {
    const [stage] = supervised.stages
    const falling = (from: string, to: string, { pictures }: { pictures: number }): Recipe => ({
      about: 'x',
      stages: [
        {
          ...defined(stage, 'a stage'),
          pictures,
          reduce: { from, to, shape: 'cosine' },
        } as Recipe['stages'][number],
      ],
    })

    test('has a graph for each rate, ends with what was trained last, and stopped and resumed with the same bits', async () => {
      const told: string[] = []
      const onStep = ({ setting = '' }: StepReport) => told.push(setting)
      const settings = options('falling', { validation: [pictures], validateEvery: 4, onStep })
      const recipe = falling('evit:1', 'evit:0.6', { pictures: 32 })
      const { validations } = await train(vit, pictures, recipe, settings)
      expect(told).toEqual(['evit:1', 'evit:0.9', 'evit:0.7', 'evit:0.6'])
      expect(validations.at(-1)?.results.map(({ setting }) => setting)).toEqual(['evit:0.6'])

      const interruption = new AbortController()
      const again = options('falling-again')
      const stop = ({ step }: StepReport) => step === 3 && interruption.abort()
      const stopped = { ...again, signal: interruption.signal, onStep: stop }
      await expect(train(vit, pictures, recipe, stopped)).rejects.toMatchObject({ code: 'ABORTED' })
      await train(vit, pictures, recipe, { ...again, resume: true })
      expect((await weightsOf('falling-again')).equals(await weightsOf('falling'))).toBe(true)
    })

    test('the state goes from graph to graph: where all compute the same, the same bits', async () => {
      // of 16 patches ⌈0.97·16⌉ are 16: other graphs, the same numbers
      const few = { pictures: 24 }
      await train(vit, pictures, falling('evit:1', 'evit:0.97', few), options('as-plain'))
      await train(vit, pictures, falling('evit:1', 'evit:1', few), options('plain'))
      expect((await weightsOf('as-plain')).equals(await weightsOf('plain'))).toBe(true)
    })
  })

  test('a DeiT learns its distillation token from what a ViT takes for the label', async () => {
    const deit = join(folder, 'deit')
    await writeTinyVit(deit, { distilled: true })
    const loss = { hardDistillation: 1 }
    const recipe: Recipe = {
      about: 'x',
      stages: [{ objective: 'end to end', pictures: 320, batch: 8, learningRate: 1e-3, loss }],
    }
    const losses: number[] = []
    const onStep = (report: StepReport) => losses.push(defined(report.losses.hard_distillation, 'the loss'))
    await train(deit, pictures, recipe, options('deit-taught', { teacher: vit, onStep }))
    expect(losses.at(-1)).toBeLessThan(defined(losses[0], 'a loss') / 2)
    const plain = train(vit, pictures, recipe, options('no-deit', { teacher: vit }))
    await expect(plain).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining('for students with a distillation token'),
    })
  })

  test.each([
    [{ about: 'x', stages: [] }, 'stages: '],
    [
      { about: 'x', stages: [{ objective: 'end to end', pictures: 8, learningRate: 1, loss: { label: 1 } }] },
      'label',
    ],
    [{ about: 'x', stages: [{ objective: 'by heart', pictures: 8, learningRate: 1 }] }, 'objective'],
    [
      {
        about: 'x',
        stages: [
          { objective: 'block imitation', pictures: 8, learningRate: 1, parameters: [{ match: '(' }] },
        ],
      },
      'it is no regular expression',
    ],
    // it would be ignored: the student doesn't run in this stage
    [
      {
        about: 'x',
        stages: [{ objective: 'block imitation', pictures: 8, learningRate: 1, keepRatio: 0.5 }],
      },
      'keepRatio',
    ],
  ])('a recipe that is none is refused: %j', async (recipe, message) => {
    await expect(train(vit, pictures, recipe as Recipe, options('refused'))).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining(message),
    })
  })

  test('a loss without weights, and labels that are missing, are refused', async () => {
    const nothing: Recipe = {
      about: 'x',
      stages: [{ objective: 'end to end', pictures: 8, learningRate: 1, loss: {} }],
    }
    await expect(train(vit, pictures, nothing, options('nothing'))).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining('needs a loss that this model can have'),
    })
    const unlabelled = join(folder, 'unlabelled')
    await mkdir(unlabelled)
    await writeFile(join(unlabelled, 'a.jpg'), await readFile(join(pictures, '0', '1.jpg')))
    await expect(train(vit, unlabelled, supervised, options('unlabelled-model'))).rejects.toMatchObject({
      code: 'BAD_DATA',
    })
  })

  test('a teacher of another size is refused before anything is trained', async () => {
    const other = join(folder, 'wide')
    await writeTinyVit(other, { image_size: 32 })
    const [, second] = twoStages.stages
    if (!second) throw new Error('two stages')
    const recipe = { about: 'x', stages: [second] }
    await expect(
      train(vit, pictures, recipe, options('no-fit', { to: routed, teacher: other })),
    ).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
      message: expect.stringMatching(
        /teacher doesn't fit the student: it has image size 32 × 32, not 16 × 16/,
      ),
    })
  })
})
