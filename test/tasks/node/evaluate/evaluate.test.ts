import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { DataSet } from '../../../../src/data/data-set.js'
import { nodeDecoder } from '../../../../src/image/node/decode.js'
import { chooseRuntime } from '../../../../src/runtime/node/choose.js'
import { Model } from '../../../../src/tasks/model.js'
import { classifyMany } from '../../../../src/tasks/node/classify-many.js'
import {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
} from '../../../../src/tasks/node/evaluate/evaluate.js'
import type { PictureOutcome } from '../../../../src/tasks/node/evaluate/picture-outcome.js'
import { load } from '../../../../src/tasks/node/load.js'
import { readGolden } from '../../../support/golden.js'
import { hasSharedData, shared, withoutSharedData } from '../../../support/shared-data.js'
import { tarBytes } from '../../../support/tar-bytes.js'
import { temporaryFolder } from '../../../support/temporary-folder.js'
import { randomModel, shrunk } from '../../../support/tiny-models.js'

const example = (name: string) => fileURLToPath(new URL(`../../../../examples/${name}.jpg`, import.meta.url))
const names = ['kite', 'hummingbird', 'yurt', 'fly', 'traffic-light', 'fire-engine']
const classes = [21, 94, 915, 308, 920, 555]

function countsOf({ timing: _, ...counts }: Evaluation) {
  return counts
}

/** A model of a few thousand weights that answers something. */
async function tinyModel(name: string, seed: number): Promise<Model> {
  return new Model(
    `${name} ${seed}`,
    randomModel(shrunk(name, { num_classes: 8 }), { seed }),
    await chooseRuntime('cpu'),
    { decoder: nodeDecoder },
  )
}

async function outcomesOf(model: Model, data: string, options: EvaluateOptions): Promise<PictureOutcome[]> {
  const outcomes: PictureOutcome[] = []
  await evaluate(model, data, { ...options, batch: 2, onPicture: (outcome) => outcomes.push(outcome) })
  return outcomes
}

describe('evaluate', () => {
  const root = temporaryFolder()
  const folderWith = (name: string, rows: readonly (readonly [string, number | string])[]) => {
    mkdirSync(join(root, name))
    for (const picture of names) copyFileSync(example(picture), join(root, name, `${picture}.jpg`))
    writeFileSync(join(root, name, 'broken.jpg'), readFileSync(example('kite')).subarray(0, 3000))
    const lines = rows.map(([file, label]) => `${file}.jpg,${label}`)
    writeFileSync(join(root, name, 'labels.csv'), ['file,label', ...lines, ''].join('\n'))
    return join(root, name)
  }
  const good = names.map((name, i) => [name, classes[i] ?? -1] as const)

  test('counts right answers; a broken picture is named and left out, whatever the batch', async () => {
    const folder = folderWith('mixed', [
      ...good.slice(0, 3),
      ['broken', 3],
      ['gone', 3],
      ...good.slice(3, 5),
      ['fire-engine', 554],
    ])
    await using model = await load('vit-tiny')
    for (const batch of [1, 3, 8]) {
      const { pictures, evaluated, labelled, results, failures } = await evaluate(model, folder, { batch })
      expect({ pictures, evaluated, labelled }).toEqual({ pictures: 8, evaluated: 6, labelled: 6 })
      expect(results).toMatchObject([{ top1: { count: 5, of: 6 }, top5: { of: 6 } }])
      expect(failures.map(({ code, name }) => `${code} ${name}`)).toEqual([
        'BAD_IMAGE broken.jpg',
        'NOT_FOUND gone.jpg',
      ])
    }
  })

  test('at several image sizes and depths in one pass: each as if it were the only one', async () => {
    const folder = folderWith(
      'controls',
      good.map(([name], i) => [name, i] as const),
    )
    await using model = await tinyModel('vit-tiny', 3)
    const settings = [{}, { imageSize: 24 }, { imageSize: 8 }, { firstLayers: 2 }]
    const together = await outcomesOf(model, folder, { settings })
    for (const [index, one] of settings.entries()) {
      const alone = await outcomesOf(model, folder, { settings: [one] })
      expect(together.map(({ answers }) => answers?.[index])).toEqual(
        alone.map(({ answers }) => answers?.[0]),
      )
    }
    const [plain, ...others] = settings.map((_, i) => together.map(({ answers }) => answers?.[i]))
    for (const other of others) expect(other).not.toEqual(plain)
  })

  test('pictures in a tar give the answers of those in a folder, and a broken one its name', async () => {
    const folder = folderWith('as-files', [...good, ['broken', 3]])
    const entries = [...good, ['broken', 3] as const].flatMap(([name, label]) => [
      { name: `${name}.jpg`, content: readFileSync(join(folder, `${name}.jpg`)) },
      { name: `${name}.cls`, content: `${label}` },
    ])
    writeFileSync(join(root, 'as.tar'), tarBytes(entries))
    await using model = await load('vit-tiny')
    const fromFolder = await evaluate(model, folder)
    const fromTar = await evaluate(model, join(root, 'as.tar'))
    expect(fromTar.results).toEqual(fromFolder.results)
    expect(fromTar.failures).toMatchObject(
      [{ name: 'as.tar/broken.jpg', message: /^as\.tar\/broken\.jpg: / }].map(({ name, message }) => ({
        name,
        message: expect.stringMatching(message),
      })),
    )
  })

  test('several keep ratios in one pass give what each gives alone, and each picture is read once', async () => {
    const folder = folderWith(
      'ratios',
      good.map(([name], i) => [name, i]),
    )
    await using model = await tinyModel('t+48', 3)
    await using teacher = await tinyModel('vit-tiny', 4)
    const reads: string[] = []
    const together: PictureOutcome[] = []
    const options = { teacher, batch: 4 }
    const all = await evaluate(model, counted(folder, reads), {
      ...options,
      settings: [{ keepRatio: 0.25 }, { keepRatio: 0.5 }, { keepRatio: 1 }],
      onPicture: (outcome) => together.push(outcome),
    })
    expect(reads.length).toBe(names.length)
    for (const [index, ratio] of [0.25, 0.5, 1].entries()) {
      const alone: PictureOutcome[] = []
      const one = await evaluate(model, folder, {
        ...options,
        settings: [{ keepRatio: ratio }],
        onPicture: (outcome) => alone.push(outcome),
      })
      expect(one.results[0]).toEqual(all.results[index])
      expect(together.map(({ answers }) => answers?.[index])).toEqual(
        alone.map(({ answers }) => answers?.[0]),
      )
    }
    expect(together[0]?.answers?.[0]).not.toEqual(together[0]?.answers?.[2])
  })

  test('a model agrees with itself on all pictures, those without a label too', async () => {
    const folder = folderWith('agree', [...good.slice(0, 2), ['yurt', -1], ['fly', '']])
    await using model = await load('vit-tiny')
    await using teacher = await load('vit-tiny')
    const { results, labelled, evaluated, teacher: taught } = await evaluate(model, folder, { teacher })
    expect({ labelled, evaluated }).toEqual({ labelled: 2, evaluated: 4 })
    expect(results[0]?.agreement).toMatchObject({ count: 4, of: 4 })
    expect(taught).toEqual({ top1: results[0]?.top1, top5: results[0]?.top5 })
    const alone = await evaluate(model, folder)
    expect(alone.failures.map(({ message }) => message)).toEqual([
      'yurt.jpg has no label. Label it, or give a teacher to compare with.',
      'fly.jpg has no label. Label it, or give a teacher to compare with.',
    ])
  })

  test('stopped anywhere and resumed it counts the same, and reads no picture twice', async () => {
    await using model = await tinyModel('t+48', 3)
    const options: EvaluateOptions = { batch: 2, settings: [{ keepRatio: 0.5 }, { keepRatio: 1 }] }
    const folder = folderWith('stopped', [...good.map(([name], i) => [name, i] as const), ['broken', 3]])
    const whole: PictureOutcome[] = []
    const expected = await evaluate(model, folder, {
      ...options,
      onPicture: (outcome) => whole.push(outcome),
    })
    for (const stopAfter of [2, 4, 6]) {
      const resume = join(root, `stopped-${stopAfter}.state`)
      const stopping = new AbortController()
      const stopped = evaluate(model, folder, {
        ...options,
        resume,
        signal: stopping.signal,
        onProgress: ({ done }) => done >= stopAfter && stopping.abort(),
      })
      await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' })
      const seen: PictureOutcome[] = []
      const resumed = await evaluate(model, folder, {
        ...options,
        resume,
        onPicture: (outcome) => seen.push(outcome),
      })
      expect(countsOf(resumed)).toEqual(countsOf(expected))
      expect(seen).toEqual(whole)
      expect(resumed.timing.pictures).toBe(7 - stopAfter)
      const again = await evaluate(model, folder, { ...options, resume })
      expect(countsOf(again)).toEqual(countsOf(expected))
      expect(again.timing.pictures).toBe(0)
    }
  })

  test('a result that can’t be written down leaves the state in the cache, one that can takes it along', async () => {
    vi.stubEnv('XDG_CACHE_HOME', join(root, 'cache'))
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const states = () => readdirSync(join(root, 'cache/blvit/evaluations')).length
    const folder = folderWith(
      'written',
      good.map(([name], i) => [name, i]),
    )
    await using model = await tinyModel('vit-tiny', 3)
    const onResult = async () => {
      throw new Error('the disk is full')
    }
    await expect(evaluate(model, folder, { resume: true, onResult })).rejects.toThrow('the disk is full')
    expect(states()).toBe(1)
    const { timing } = await evaluate(model, folder, { resume: true })
    expect({ pictures: timing.pictures, states: states() }).toEqual({ pictures: 0, states: 0 })
  })

  test('a state of other weights, data or options is refused with what differs', async () => {
    const folder = folderWith(
      'guarded',
      good.map(([name], i) => [name, i]),
    )
    await using model = await tinyModel('t+48', 3)
    await using other = await tinyModel('t+48', 4)
    const resume = join(root, 'guarded.state')
    await evaluate(model, folder, { resume, batch: 2 })
    const refused = (answer: Promise<unknown>, what: RegExp) => expect(answer).rejects.toThrow(what)
    await refused(
      evaluate(other, folder, { resume, batch: 2 }),
      /another evaluation:\n {2}model: fingerprint/,
    )
    await refused(
      evaluate(model, folder, { resume, batch: 3 }),
      /another evaluation:\n {2}batch: 2 there, 3 now/,
    )
    await refused(
      evaluate(model, folder, { resume, batch: 2, teacher: other }),
      /teacher: none there, fingerprint/,
    )
    await refused(evaluate(model, folder, { resume, batch: 2, limit: 3 }), /limit: none there, 3 now/)
    await refused(
      evaluate(model, folder, { resume, batch: 2, settings: [{ keepRatio: 0.5 }] }),
      /settings: .* there, keep ratio 0\.5 now/,
    )
    writeFileSync(join(folder, 'labels.csv'), 'file,label\nkite.jpg,1\n')
    await refused(evaluate(model, folder, { resume, batch: 2 }), /another evaluation:\n {2}data: fingerprint/)
  })

  test('a teacher with its classes in another order is compared by label', async () => {
    const folder = folderWith(
      'reordered',
      good.map(([name], i) => [name, i]),
    )
    const runtime = await chooseRuntime('cpu')
    const files = randomModel(shrunk('vit-tiny', { num_classes: 8 }), { seed: 4 })
    const called = (labels: string) =>
      new Model(labels, { ...files, labels: [...labels] }, runtime, { decoder: nodeDecoder })
    await using model = called('abcdefgh')
    // the same weights call every class otherwise: never the same answer
    await using rotated = called('bcdefgha')
    const agreement = async (teacher: Model) => {
      const { results, notes } = await evaluate(model, folder, { teacher })
      return { count: results[0]?.agreement?.count, notes }
    }
    expect(await agreement(called('abcdefgh'))).toEqual({ count: 6, notes: [] })
    expect(await agreement(rotated)).toEqual({
      count: 0,
      notes: ['the classes of the teacher stand in another order: compared by label'],
    })
    await expect(evaluate(model, folder, { teacher: called('abcdefgx') })).rejects.toThrow(
      /it has no class "h"/,
    )
  })

  test('what can’t be evaluated is refused before anything is read', async () => {
    const folder = folderWith(
      'refused',
      good.map(([name], i) => [name, i]),
    )
    await using model = await tinyModel('vit-tiny', 3)
    await using teacher = await load('vit-tiny')
    const refused = (options: EvaluateOptions, what: RegExp) =>
      expect(evaluate(model, folder, options)).rejects.toThrow(what)
    await refused({ settings: [{ keepRatio: 0.5 }] }, /processes every token/)
    await refused({ batch: 0 }, /batch is 0/)
    await refused({ limit: 1.5 }, /limit is 1\.5/)
    await refused({ teacher }, /vit-tiny has other classes than vit-tiny 3: it has 1000 classes instead of 8/)
    await expect(evaluate(model, join(root, 'nowhere'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test.skipIf(!hasSharedData)(
    `real pictures and two models in one pass: picture by picture what PyTorch answers${withoutSharedData}`,
    async () => {
      const names = { model: 'vit_tiny_patch16_224', teacher: 'deit_tiny_patch16_224' }
      await using model = await load(shared(`weights/${names.model}`))
      await using teacher = await load(shared(`weights/${names.teacher}`))
      const limit = 48
      const outcomes: PictureOutcome[] = []
      const evaluation = await evaluate(model, shared('imagenet-val-650'), {
        teacher,
        limit,
        onPicture: (outcome) => outcomes.push(outcome),
      })
      expect(evaluation.failures).toEqual([])
      const asked = [
        {
          name: names.model,
          counts: evaluation.results[0],
          answer: ({ answers }: PictureOutcome) => answers?.[0],
        },
        { name: names.teacher, counts: evaluation.teacher, answer: ({ teacher }: PictureOutcome) => teacher },
      ]
      for (const { name, counts, answer } of asked) {
        const logits = (await readGolden(shared(`reference/${name}.safetensors`))).floats('out/all_logits')
        // in the order of labels.csv, which is that of the outcomes
        const rowOf = (i: number) => logits.subarray(1000 * i, 1000 * (i + 1))
        const isBest = (i: number, predicted = -1) => {
          const row = rowOf(i)
          // stored in float16; of two that are equal in it either may be the best
          return (row[predicted] ?? Number.NaN) >= Math.max(...row) - 0.02
        }
        expect(outcomes.filter((outcome, i) => !isBest(i, answer(outcome)?.predicted))).toEqual([])
        const right = (among: number) =>
          outcomes.filter(({ label = -1 }, i) => {
            const own = rowOf(i)[label] ?? Number.NaN
            return rowOf(i).filter((logit) => logit > own).length < among
          }).length
        expect(counts).toMatchObject({ top1: { of: limit }, top5: { of: limit } })
        expect(Math.abs((counts?.top1.count ?? 0) - right(1))).toBeLessThanOrEqual(1)
        expect(Math.abs((counts?.top5?.count ?? 0) - right(5))).toBeLessThanOrEqual(1)
        expect(counts?.top1.count).toBe(
          outcomes.filter((outcome) => answer(outcome)?.predicted === outcome.label).length,
        )
      }
      // and pictures that aren't evaluated but classified get the same labels
      const some = outcomes.slice(0, 12)
      const pictures = some.map(({ name }) => ({ name, source: join(shared('imagenet-val-650'), name) }))
      const labels: (number | undefined)[] = []
      for await (const result of classifyMany(model, pictures, { batch: 8 })) {
        if ('error' in result) throw result.error
        labels.push(result.classification.top[0]?.index)
      }
      expect(labels).toEqual(some.map(({ answers }) => answers?.[0]?.predicted))
    },
  )
})

/** A data set of one folder's listed pictures that notes the name of each one it hands out. */
function counted(folder: string, reads: string[]): DataSet {
  return {
    name: folder,
    size: names.length,
    async *items() {
      for (const [label, name] of names.entries()) {
        reads.push(name)
        yield {
          name: `${name}.jpg`,
          source: join(folder, `${name}.jpg`),
          label,
          readShare: (label + 1) / names.length,
        }
      }
    },
    fingerprint: async () => folder,
  }
}
