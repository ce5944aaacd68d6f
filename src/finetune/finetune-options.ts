import { BlvitError } from '../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../base/check-options.js'
import { checkWholeNumbers, isWholeNumber } from '../base/whole-number.js'
import { checkThreads, type DeviceRequest } from '../runtime/device.js'
import { type RunSettings, runSettingKeys } from '../settings/settings.js'
import type { StepReport, ValidationReport } from '../trainer/step-report.js'
import { type DownloadOptions, downloadKeys } from '../weights/node/hub/download-model.js'
import type { CollectProgress } from './features/collect.js'

/** How far a fine-tuning has come. */
export type FinetuneProgress =
  | ({ readonly phase: 'features' } & CollectProgress)
  /** Fits of the head, of each fold and the last one of all pictures. */
  | { readonly phase: 'head'; readonly done: number; readonly total: number }
  /** A step of `layers: 'all'`. */
  | { readonly phase: 'layers'; readonly step: StepReport }
  | { readonly phase: 'validation'; readonly validation: ValidationReport }

/** What `layers` may be. */
const layersChoices = ['head', 'all'] as const

/** Settings among them are what the features are made at. Default: the model's own. */
export interface FinetuneOptions extends Omit<DownloadOptions, 'onProgress'>, RunSettings {
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
  /**
   * How much of a picture the model sees, as its share of the shorter side, 0 … 1. Default 1: classes of one's own fill a
   * picture to its rims. The folder that comes out says so.
   */
  readonly cropRatio?: number | undefined
  /** What learns: a new head on what the model sees as it is, or all of the model, from that head on. Default `head`. */
  readonly layers?: (typeof layersChoices)[number] | undefined
  /** Of `layers: 'all'`: times that each picture is seen at most. Default 10. */
  readonly epochs?: number | undefined
  /** Of `layers: 'all'`: go on from the newest checkpoint of a fine-tuning with the same options. */
  readonly resume?: boolean | undefined
  /** Of `layers: 'all'`: threads that decode and augment pictures. Default 1. */
  readonly workers?: number | undefined
  /** Keep features in the user's cache, by the pictures' content, for the next run. Default true. */
  readonly cache?: boolean | undefined
  /** Pictures per run of an engine. Default: what is fastest. */
  readonly batch?: number | undefined
  /** Of how pictures are shared out and, with `layers: 'all'`, of the training. Default 0. */
  readonly seed?: number | undefined
  /** Where features are made and layers learn. Default `auto`. */
  readonly device?: DeviceRequest | undefined
  /** Of the engine. Default: as many as it thinks good. */
  readonly threads?: number | undefined
  readonly onProgress?: ((progress: FinetuneProgress) => void) | undefined
  readonly onDownload?: DownloadOptions['onProgress']
  /** For people: how labels were understood, what was passed over. */
  readonly onNote?: ((note: string) => void) | undefined
}

const finetuneKeys: OptionKeys<FinetuneOptions> = {
  ...runSettingKeys,
  ...downloadKeys,
  output: true,
  report: true,
  overwrite: true,
  balance: true,
  folds: true,
  cropRatio: true,
  layers: true,
  epochs: true,
  resume: true,
  workers: true,
  cache: true,
  batch: true,
  seed: true,
  device: true,
  threads: true,
  onProgress: true,
  onDownload: true,
  onNote: true,
}

/** @throws BlvitError `BAD_OPTION` */
export function checkFinetuneOptions(options: FinetuneOptions): void {
  const { folds, batch, threads, epochs, output, report, layers = 'head', cropRatio = 1 } = options
  checkOptions('option of finetune', options, finetuneKeys)
  checkWholeNumbers({ batch, epochs })
  checkThreads(threads)
  if (folds !== undefined && !(isWholeNumber(folds) && folds >= 2))
    throw new BlvitError('BAD_OPTION', `folds is ${folds}; it must be a whole number from 2.`, { folds })
  if (!layersChoices.includes(layers)) {
    const message = `layers is "${layers}"; it must be one of ${layersChoices.join(', ')}.`
    throw new BlvitError('BAD_OPTION', message, { layers })
  }
  if (!(cropRatio > 0 && cropRatio <= 1)) {
    const message = `cropRatio is ${cropRatio}; it must be a number above 0 and up to 1.`
    throw new BlvitError('BAD_OPTION', message, { cropRatio })
  }
  const onlyAll = { epochs, resume: options.resume, workers: options.workers }
  for (const [name, value] of Object.entries(onlyAll)) {
    if (layers === 'all' || value === undefined) continue
    throw new BlvitError(
      'BAD_OPTION',
      `${name} is for layers "all": a head alone is fitted at once. Leave it out.`,
    )
  }
  for (const [name, path] of Object.entries({ output, report })) {
    if (path !== undefined && path.trim() === '')
      throw new BlvitError('BAD_OPTION', `${name} has an empty name. Give the name of a folder.`)
  }
}
