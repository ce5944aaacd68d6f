import type { ChosenRuntime } from '../../runtime/choose.js'
import { evaluate } from '../evaluate/evaluate.js'
import type { RatioResult } from '../evaluate/tally.js'
import { Model } from '../model.js'
import type { ModelFiles } from '../model-folder/model-files.js'

export interface ValidationOptions {
  /** Labelled pictures: folders, tars, labels.csv. */
  readonly data: readonly string[]
  /** Only the first so many. */
  readonly limit: number | undefined
  /** Ignored for a model that treats all tokens alike. */
  readonly keepRatios: readonly number[]
  readonly runtime: ChosenRuntime
  readonly threads: number | undefined
  readonly signal: AbortSignal | undefined
}

/** How often a model is right as it is now. @throws BlvitError as {@link evaluate}; `BAD_DATA` without labels */
export async function validate(
  files: ModelFiles,
  { data, limit, keepRatios, runtime, threads, signal }: ValidationOptions,
): Promise<readonly RatioResult[]> {
  await using model = new Model('the model in training', files, runtime, { threads })
  const ratios = files.architecture.keepRatio === undefined ? [] : keepRatios
  const { results } = await evaluate(model, data, { keepRatios: ratios, limit, signal })
  return results
}

/** One number to compare two moments of a training by: the mean over the keep ratios. */
export function meanAccuracy(results: readonly RatioResult[]): number {
  return results.reduce((sum, { top1 }) => sum + top1.share, 0) / results.length
}
