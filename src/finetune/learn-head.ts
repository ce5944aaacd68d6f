import { seededRandom } from '../base/random.js'
import type { Share } from '../base/share.js'
import type { DataSet } from '../data/data-set.js'
import type { ModelFiles } from '../model-store/model-files.js'
import type { NamedModel } from '../model-store/node/named-model.js'
import { withHead } from '../model-store/with-head.js'
import { chooseRuntime } from '../runtime/node/choose.js'
import { type FittedHead, fitHead } from '../training/head/fit-head.js'
import type { HeadScores } from '../training/head/head.js'
import { type LabelledFeatures, rowsOf } from '../training/head/labelled-features.js'
import type { Collected } from './features/collect.js'
import type { FinetuneOptions } from './finetune-options.js'
import type { Tried } from './report/report.js'

/** Pictures as vectors, and what is to be learned from them. */
export interface LearningTask {
  readonly base: NamedModel
  /** In class order. */
  readonly labels: readonly string[]
  readonly scores: HeadScores
  readonly data: readonly string[]
  readonly dataSet: DataSet
  readonly collected: Collected
  /** A row for each picture of `collected`. */
  readonly features: LabelledFeatures
  /** A number for each picture; those with the same are on the same side of every split. */
  readonly groups: ArrayLike<number>
  readonly options: FinetuneOptions
}

/** What was learned, and how good it is. */
export interface Learned {
  readonly files: ModelFiles
  readonly penalty: number
  readonly tried: Tried
  readonly headAccuracy?: Share | undefined
}

/** A head for some of the pictures. @throws BlvitError `ABORTED`, `ENGINE` */
export async function fitOn(
  rows: readonly number[],
  { features, labels, scores, groups, options }: LearningTask,
): Promise<FittedHead> {
  const { device, threads, folds = 5, balance = true, seed = 0, signal, onProgress } = options
  const { runtime } = await chooseRuntime(device, { thread: 'caller' })
  return fitHead(runtime, rowsOf(features, rows), {
    ...{ classes: labels.length, scores, folds, balance, threads, signal },
    groups: rows.map((row) => groups[row] as number),
    random: seededRandom(seed, 'folds'),
    onFit: (done, total) => onProgress?.({ phase: 'head', done, total }),
  })
}

/** A head for all pictures; each is tried by a head that learned neither it nor its doubles. */
export async function learnHead(task: LearningTask): Promise<Learned> {
  const { base, labels, scores, collected, features } = task
  const all = Array.from({ length: features.count }, (_, row) => row)
  const { head, penalty, folds, heldOutScores } = await fitOn(all, task)
  const files = await withHead(base.files, { labels, scores, ...head })
  return { files, penalty, tried: { pictures: collected.pictures, scores: heldOutScores, folds } }
}
