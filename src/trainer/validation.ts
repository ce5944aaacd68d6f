import { BlvitError } from '../base/blvit-error.js'
import type { DataSet } from '../data/data-set.js'
import { openDataSet } from '../data/open-data-set.js'
import { nodeDecoder } from '../image/node/decode.js'
import type { ModelFiles } from '../model-store/model-files.js'
import type { ChosenRuntime } from '../runtime/runtime.js'
import { resolveSettings } from '../settings/resolve.js'
import type { Settings } from '../settings/settings.js'
import { Model } from '../tasks/model.js'
import { evaluate } from '../tasks/node/evaluate/evaluate.js'
import type { Counts, SettingResult } from '../tasks/node/evaluate/tally.js'

/** What a model in training is measured with. */
export interface ValidationOptions {
  /** Labelled pictures: folders, tars, labels.csv. */
  readonly validation: readonly string[]
  /** The names of the only pictures of those that count. Default: all. */
  readonly validationNames?: readonly string[] | undefined
  /** Only the first so many. Default: all. */
  readonly validationLimit?: number | undefined
  /** What to measure at. */
  readonly settings: readonly Settings[]
}

export interface MeasureOptions {
  readonly runtime: ChosenRuntime
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Labelled pictures that a model in training is measured with now and then. */
export interface Validation {
  /** Decides which accuracies can be compared: the pictures and the settings. */
  readonly identity: string
  /** How often a model is right as it is now. @throws BlvitError as {@link evaluate}; `BAD_DATA` if no picture counts */
  measure(files: ModelFiles, options: MeasureOptions): Promise<Counts>
}

function noLabels(name: string): BlvitError {
  const message = `${name} has no labelled pictures to validate with. Give labelled ones, or leave out --validation.`
  return new BlvitError('BAD_DATA', message)
}

/** Finds out with as few items as possible. */
async function assertLabelled(dataSet: DataSet, limit = Number.POSITIVE_INFINITY): Promise<void> {
  let seen = 0
  for await (const item of dataSet.items()) {
    if ('source' in item && (item.label !== undefined || item.labels !== undefined)) return
    seen += 1
    if (seen >= limit) break
  }
  throw noLabels(dataSet.name)
}

/**
 * Opens the pictures that a student is to be validated with, before anything is trained.
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA` without labelled pictures, `BAD_OPTION` for a setting that the model can't take
 */
export async function openValidation(
  { architecture, labels, scores }: ModelFiles,
  { validation, validationNames: only, validationLimit: limit, settings }: ValidationOptions,
): Promise<Validation> {
  if (architecture.facts.masks) {
    const message =
      "A model that cuts out things isn't validated on the way. Leave out --validation, and measure what comes out: blvit eval --task segment."
    throw new BlvitError('UNSUPPORTED', message)
  }
  const keys = settings.map((each) => resolveSettings(architecture, each).key)
  const several = scores === 'sigmoid' ? ('as-written' as const) : false
  const dataSet = await openDataSet(validation, { labels, several, only })
  await assertLabelled(dataSet, limit)
  return {
    identity: JSON.stringify([await dataSet.fingerprint(), limit ?? null, keys]),
    async measure(files, { runtime, threads, signal }) {
      await using model = new Model('the model in training', files, runtime, {
        threads,
        decoder: nodeDecoder,
      })
      const counts = await evaluate(model, dataSet, { settings, limit, signal })
      if (counts.labelled === 0) throw noLabels(dataSet.name)
      // of several labels, a picture is right where all are
      const results = counts.results.map(({ several: told, ...result }) =>
        told ? { ...result, top1: told.exact } : result,
      )
      return { ...counts, results }
    },
  }
}

/** One number to compare two moments of a training by: the mean over the settings. */
export function meanAccuracy(results: readonly Pick<SettingResult, 'top1'>[]): number {
  return results.reduce((sum, { top1 }) => sum + top1.share, 0) / results.length
}
