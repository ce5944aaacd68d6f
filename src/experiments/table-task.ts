import { join } from 'node:path'
import { openDataSet } from '../data/open-data-set.js'
import { nodeDecoder } from '../image/node/decode.js'
import type { ModelFiles } from '../model-store/model-files.js'
import type { ChosenRuntime } from '../runtime/runtime.js'
import { analyze } from '../tasks/analyze/analyze.js'
import { Model } from '../tasks/model.js'
import { evaluate } from '../tasks/node/evaluate/evaluate.js'
import { meanSizes } from '../tasks/node/mean-sizes.js'
import { evaluateMasks } from '../tasks/node/segment/evaluate/evaluate-masks.js'
import { MaskEngine } from '../tasks/segment/mask-engine.js'
import { Segmenter } from '../tasks/segment/segmenter.js'
import type { Measured } from './measured.js'
import { type TablePictures, type UnpackOptions, unpackPictures } from './pictures.js'
import { makeScenes } from './scenes/make-scenes.js'

interface MeasureOptions {
  readonly runtime: ChosenRuntime
  readonly threads: number
  /** Only the first so many pictures. */
  readonly limit: number | undefined
  readonly onDone: (pictures: number) => void
}

/** What the models of a table are for, and what they learn from. */
interface TableTask {
  /** Where its pictures lie in the folder of a reproduction, which may hold tables of several tasks. */
  readonly folder: string
  /** Makes the pictures ready, once for all runs. @param data what the user has */
  prepare(data: string, folder: string, options: UnpackOptions): Promise<TablePictures>
  /** How many pictures a model is tested with, if nobody limits them. */
  sizeOf(test: string): Promise<number>
  measure(files: ModelFiles, test: string, options: MeasureOptions): Promise<Measured>
  /** Whether `blvit compare` can measure how long its models take. */
  readonly hasTimes: boolean
}

/** Pictures that a lane takes at once: enough for its products to be large. */
const evaluationBatch = 50

/** Pictures of CIFAR-10, by their labels. */
const labels: TableTask = {
  folder: 'pictures',
  hasTimes: true,
  prepare: (data, folder, options) => unpackPictures(data, folder, options),
  sizeOf: async (test) => (await openDataSet(test, { labels: 'ignored' })).size ?? 0,
  async measure(files, test, { runtime, threads, limit, onDone }) {
    await using model = new Model('a student', files, runtime, { threads, decoder: nodeDecoder })
    const dataSet = await openDataSet(test, { labels: files.labels })
    const { results } = await evaluate(model, dataSet, {
      ...{ limit, batch: evaluationBatch, onProgress: ({ done }) => onDone(done) },
    })
    const [{ top1 } = { top1: { count: 0, of: 0 } }] = results
    const isCounted = analyze(files.architecture).counted !== undefined
    const counted = isCounted ? await meanSizes(model, {}, { dataSet, signal: undefined }) : undefined
    return { top1: { right: top1.count, of: top1.of }, ...(counted && { counted }) }
  },
}

/** What models that cut out things are tested with, and how its scores are called. */
const maskTests = { 'held-out': 'photographs', 'held-out-scenes': 'scenes' } as const
const promptNames = { point: '1 point', box: 'box' } as const

/** Objects of photographs and of scenes made of others, asked for by a click or a box. */
const masks: TableTask = {
  folder: 'scenes',
  hasTimes: false,
  prepare: async (data, folder, options) => {
    const { train, fingerprint } = await makeScenes(data, folder, options)
    return { train, test: folder, fingerprint }
  },
  sizeOf: async (test) => {
    const sizes = Object.keys(maskTests).map(
      async (name) => (await openDataSet(join(test, name), { labels: 'ignored' })).size ?? 0,
    )
    return (await Promise.all(sizes)).reduce((a, b) => a + b, 0)
  },
  async measure(files, test, { runtime, threads, limit, onDone }) {
    await using segmenter = new Segmenter(
      'a student',
      new MaskEngine(files, runtime, { threads }),
      nodeDecoder,
    )
    const scores: Record<string, { right: number; of: number }> = {}
    let before = 0
    for (const [folder, name] of Object.entries(maskTests)) {
      const { results, pictures } = await evaluateMasks(segmenter, join(test, folder, 'instances.json'), {
        ...{ prompts: ['point', 'box'], limit, onProgress: ({ done }) => onDone(before + done) },
      })
      before += pictures
      for (const { prompt, iou } of results) {
        const asked = prompt === 'point' ? promptNames.point : promptNames.box
        scores[`${name}, ${asked}`] = { right: iou.mean * iou.of, of: iou.of }
      }
    }
    const first = Object.values(scores)[0] ?? { right: 0, of: 0 }
    return { top1: first, scores }
  },
}

/** By the name that an experiment gives. */
export const tableTasks = { labels, masks } satisfies Readonly<Record<string, TableTask>>

export type TableTaskName = keyof typeof tableTasks
