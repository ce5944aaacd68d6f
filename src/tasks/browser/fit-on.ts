import { seededRandom } from '../../base/random.js'
import { chooseBrowserRuntime } from '../../runtime/browser.js'
import { type FittedHead, fitHead } from '../../training/head/fit-head.js'
import { rowsOf } from '../../training/head/labelled-features.js'
import type { Model } from '../model.js'
import type { StudiedClasses } from './study-classes.js'
import type { TeachOptions } from './teach-options.js'

/** A head for some of the pictures. @throws BlvitError `ABORTED`, `ENGINE` */
export async function fitOn(
  rows: readonly number[],
  { labels, features, groups }: StudiedClasses,
  options: TeachOptions & { readonly model: Model },
): Promise<FittedHead> {
  const { model, folds = 5, balance = true, seed = 0, signal, onProgress } = options
  // its graph has sizes that only running tells, which WebGPU doesn't take, and is small
  const { runtime } = await chooseBrowserRuntime('wasm')
  return fitHead(runtime, rowsOf(features, rows), {
    ...{ classes: labels.length, scores: 'softmax', folds, balance, signal },
    threads: model.engineOptions.threads,
    groups: rows.map((row) => groups[row] as number),
    random: seededRandom(seed, 'folds'),
    onFit: (done, total) => onProgress?.({ phase: 'head', done, total }),
  })
}
