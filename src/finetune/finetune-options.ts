import { BlvitError } from '../base/blvit-error.js'
import type { DeviceRequest } from '../runtime/device.js'
import type { Settings } from '../settings/settings.js'
import type { DownloadOptions } from '../weights/node/hub/download-model.js'
import type { CollectProgress } from './features/collect.js'

/** How far a fine-tuning has come. */
export type FinetuneProgress =
  | ({ readonly phase: 'features' } & CollectProgress)
  /** Fits of the head, of each fold and the last one of all pictures. */
  | { readonly phase: 'head'; readonly done: number; readonly total: number }

/** Settings among them are what the features are made at. Default: the model's own. */
export interface FinetuneOptions extends Omit<DownloadOptions, 'onProgress'>, Settings {
  /** The folder of the new model. */
  readonly output: string
  /** A folder for the report instead of the model's own. */
  readonly report?: string | undefined
  /** Replace a model's folder that is there. Default false. */
  readonly overwrite?: boolean | undefined
  /** Let pictures of classes with few count more, so that all classes count alike. Default true. */
  readonly balance?: boolean | undefined
  /** Parts that the pictures are shared out among: each is answered by a head that learned from the others. Default 5. */
  readonly folds?: number | undefined
  /** Keep features in the user's cache, by the pictures' content, for the next run. Default true. */
  readonly cache?: boolean | undefined
  /** Pictures per run of the engine. Default 8. */
  readonly batch?: number | undefined
  /** Of the order in which pictures are shared out. Default 0. */
  readonly seed?: number | undefined
  readonly device?: DeviceRequest | undefined
  readonly threads?: number | undefined
  readonly onProgress?: ((progress: FinetuneProgress) => void) | undefined
  readonly onDownload?: DownloadOptions['onProgress']
  /** For people: how labels were understood, what was passed over. */
  readonly onNote?: ((note: string) => void) | undefined
}

/** @throws BlvitError `BAD_OPTION` */
export function checkFinetuneOptions({ folds, batch, threads, output, report }: FinetuneOptions): void {
  const numbers = { folds, batch, threads }
  for (const [name, value] of Object.entries(numbers)) {
    const least = name === 'folds' ? 2 : 1
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) continue
    throw new BlvitError('BAD_OPTION', `${name} is ${value}; it must be a whole number from ${least}.`, {
      [name]: value,
    })
  }
  for (const [name, path] of Object.entries({ output, report })) {
    if (path !== undefined && path.trim() === '')
      throw new BlvitError('BAD_OPTION', `${name} has an empty name. Give the name of a folder.`)
  }
}
