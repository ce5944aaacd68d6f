import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import type { BlvitError } from '../../src/base/blvit-error.js'
import { seededRandom } from '../../src/base/random.js'
import type { RecipeChanges } from '../../src/recipes/recipe.js'
import { load } from '../../src/tasks/node/load.js'
import { type DistillOptions, distill } from '../../src/trainer/distill.js'
import { findRecipe } from '../../src/trainer/find-recipe.js'
import type { StepReport } from '../../src/trainer/step-report.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { writeTinyRouted, writeTinyVit } from '../support/tiny-training.js'

const folder = temporaryFolder()
const teacher = join(folder, 'teacher')
const pictures = join(folder, 'pictures')
/** What the teacher becomes. */
let routed = ''

/** Blurred noise: pictures with patches that differ. */
async function writePictures(): Promise<void> {
  const random = seededRandom(5)
  await mkdir(join(pictures, '0'), { recursive: true })
  for (let i = 0; i < 24; i++) {
    const raw = { width: 6, height: 5, channels: 3 } as const
    const noise = Uint8Array.from({ length: 6 * 5 * 3 }, () => 256 * random())
    await sharp(noise, { raw })
      .resize(60, 48)
      .jpeg()
      .toFile(join(pictures, '0', `${i}.jpg`))
  }
}

beforeAll(async () => {
  await writeTinyVit(teacher)
  routed = await writeTinyRouted(folder)
  await writePictures()
})

/** Block imitation alone, ten steps; the learning rate is that of the recipe. */
function imitation(changes: RecipeChanges = {}) {
  return findRecipe('block-imitation', { pictures: 80, batch: 8, ...changes })
}
const short = await imitation()

function options(name: string, changes: Partial<DistillOptions> = {}): DistillOptions {
  const output = join(folder, name)
  return { to: routed, data: [pictures], recipe: short, output, threads: 1, ...changes }
}

/** Stops after a step, as Ctrl-C does. */
async function distillUntil(step: number, given: DistillOptions): Promise<BlvitError> {
  const interruption = new AbortController()
  const onStep = (report: StepReport) => report.step === step && interruption.abort()
  return distill(teacher, { ...given, signal: interruption.signal, onStep }).then(
    () => expect.unreachable('it was stopped'),
    (thrown: BlvitError) => thrown,
  )
}

/** Ten steps without a stop, made once for all tests that compare with them. */
let whole: Promise<unknown> | undefined
function distilledWhole(): Promise<unknown> {
  whole ??= distill(teacher, options('whole'))
  return whole
}

const weightsOf = (name: string) => readFile(join(folder, name, 'model.safetensors'))

describe('distill', () => {
  test('the imitation loss falls by half, and the folder loads, says what it is and routes', async () => {
    const recipe = await imitation({ pictures: 2400, batch: 24, learningRateScale: 5 })
    const losses: number[] = []
    const onStep = (report: StepReport) => losses.push(report.losses.imitation ?? Number.NaN)
    await distill(teacher, options('learned', { recipe, onStep }))
    const [first = Number.NaN, last = Number.NaN] = [losses[0], losses.at(-1)]
    expect(first).toBeGreaterThan(0.9)
    expect(last).toBeLessThan(first / 2)

    await using model = await load(join(folder, 'learned'))
    const { top } = await model.classify(join(pictures, '0/3.jpg'), { keepRatio: 0.25 })
    expect(top).toHaveLength(5)
    const card = await readFile(join(folder, 'learned', 'README.md'), 'utf8')
    expect(card).toContain(`| started as | \`${teacher}\` |`)
    expect(card).toContain('| 1 | block imitation | 2400 | 100 × 24 | 0.01, cosine |')
  })

  test('the P-blocks keep the teacher’s weights to the bit: at keep ratio 1 the student is nearly the teacher', async () => {
    await distilledWhole()
    await using student = await load(join(folder, 'whole'))
    await using plain = await load(teacher)
    const picture = join(pictures, '0/1.jpg')
    const [own] = (await student.classify(picture, { keepRatio: 1 })).top
    const [asked] = (await plain.classify(picture)).top
    expect(own?.label).toBe(asked?.label)
    expect(own?.probability).toBeCloseTo(asked?.probability ?? Number.NaN, 3)
  })

  test('stopped and resumed it gives the weights of the uninterrupted run, bit for bit', async () => {
    await distilledWhole()
    const thrown = await distillUntil(4, options('halves'))
    expect(thrown).toMatchObject({ code: 'ABORTED' })
    const made: number[] = []
    const onStep = ({ step }: StepReport) => made.push(step)
    await distill(teacher, options('halves', { resume: true, onStep }))
    expect(made).toEqual([5, 6, 7, 8, 9, 10])
    expect((await weightsOf('halves')).equals(await weightsOf('whole'))).toBe(true)
    const steps = async (name: string) => {
      const text = await readFile(join(folder, `${name}.training`, 'log.jsonl'), 'utf8')
      return text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    }
    expect(await steps('halves')).toEqual(await steps('whole'))
  })

  test('another seed gives other weights', async () => {
    await distilledWhole()
    await distill(teacher, options('seed-1', { seed: 1 }))
    expect((await weightsOf('whole')).equals(await weightsOf('seed-1'))).toBe(false)
  })

  test('a training with other options is not resumed', async () => {
    await distillUntil(2, options('other'))
    await expect(distill(teacher, options('other', { resume: true, seed: 3 }))).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringContaining('belongs to another training:\n  seed: 0 there, 3 now\n'),
    })
  })

  test('a checkpoint is not lost by beginning anew', async () => {
    await distillUntil(2, options('kept'))
    await expect(distill(teacher, options('kept'))).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringContaining('Go on (resume: true, --resume)'),
    })
  })

  test('a learning rate that explodes stops the training and keeps the last checkpoint', async () => {
    const recipe = await imitation({ learningRateScale: 1e33 })
    const exploding = options('exploding', { recipe, checkpointEvery: 1 })
    await expect(distill(teacher, exploding)).rejects.toMatchObject({
      code: 'ENGINE',
      message: expect.stringMatching(
        /block imitation, step \d+: the loss is not a number any more.*Begin anew with lower learning rates/,
      ),
    })
    expect(await readdir(join(folder, 'exploding.training'))).toContain('stage-1-step-1.safetensors')
  })

  test('a damaged picture is left out and named', async () => {
    const damaged = join(folder, 'damaged')
    await cp(pictures, damaged, { recursive: true })
    await writeFile(join(damaged, '0', '7.jpg'), 'no picture')
    const complaints: string[] = []
    const onStep = (report: StepReport) => complaints.push(...report.complaints)
    const recipe = await imitation({ pictures: 24, batch: 24 })
    await distill(teacher, options('with-damage', { data: [damaged], recipe, onStep }))
    // 23 sound ones don't fill a batch: by its end the first epoch has met the damaged one, the second one perhaps too
    expect(new Set(complaints).size).toBe(1)
    expect(complaints[0]).toMatch(/7\.jpg.*can't be decoded/)
  })

  test('data without one usable picture ends with its reason', async () => {
    const useless = join(folder, 'useless')
    await mkdir(join(useless, '0'), { recursive: true })
    await writeFile(join(useless, '0', 'a.jpg'), 'no picture')
    await expect(distill(teacher, options('from-useless', { data: [useless] }))).rejects.toMatchObject({
      code: 'BAD_DATA',
      message: expect.stringMatching(/^Not one picture of .*useless can be used\./),
    })
  })

  test('a dry run measures and writes nothing', async () => {
    const { reports, output, peakMemoryBytes } = await distill(teacher, options('dry', { dryRun: true }))
    expect(reports).toMatchObject([{ step: 4, steps: 10 }])
    expect(output).toBeUndefined()
    expect(reports.at(-1)?.imagesPerSecond).toBeGreaterThan(0)
    expect(peakMemoryBytes).toBeGreaterThan(1e6)
    await expect(readFile(join(folder, 'dry.training', 'log.jsonl'))).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })
})
