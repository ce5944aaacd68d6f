import { checkOptions, type OptionKeys } from '../base/check-options.js'
import { checkWholeNumbers } from '../base/whole-number.js'
import { checkWorkers } from '../batches/batches.js'
import { checkThreads, type DeviceRequest } from '../runtime/device.js'
import type { Settings } from '../settings/settings.js'
import { downloadKeys } from '../weights/node/hub/download-model.js'
import type { ParticipantOptions } from './participants.js'
import type { StepReport, ValidationReport } from './step-report.js'

/** What a training may be told beside its recipe. */
export interface TrainOptions extends Omit<ParticipantOptions, 'seed'> {
  /** The folder of the new model. Beside it `<output>.training` keeps checkpoints, log and curves. */
  readonly output: string
  /** Of new weights, the order of pictures, their crops, keep ratios. Default 0. */
  readonly seed?: number | undefined
  /** Go on from the newest checkpoint of a training with the same options. */
  readonly resume?: boolean | undefined
  /** Replace a model's folder that is there, and its checkpoints. Default false. */
  readonly overwrite?: boolean | undefined
  /** Steps between two checkpoints. Default 100. */
  readonly checkpointEvery?: number | undefined
  /** Labelled pictures to measure the model with now and then; the best weights are what comes out then. */
  readonly validation?: readonly string[] | undefined
  /** Instead of `validation`: names of pictures of the data that are measured with, not learned from. */
  readonly validationNames?: readonly string[] | undefined
  /** Names of pictures of the data that are left out altogether. */
  readonly without?: readonly string[] | undefined
  /** Only the first so many pictures of the validation. Default: all. */
  readonly validationLimit?: number | undefined
  /** Measure before the first step too: where training makes it no better, what it started with comes out. Default false. */
  readonly validateFirst?: boolean | undefined
  /** So many validations in a row without a better one end a stage. Default: none does. */
  readonly patience?: number | undefined
  /** Steps between two validations. Default: a tenth of each stage. */
  readonly validateEvery?: number | undefined
  /** What to validate at. Default: keep ratios 0.25, 0.5, 0.75 and 1, or without any what the last stage trains at. */
  readonly validationSettings?: readonly Settings[] | undefined
  /** Where the steps are made. Default `auto`. */
  readonly device?: DeviceRequest | undefined
  /** Of the engine. Default: as many as it thinks good. */
  readonly threads?: number | undefined
  /** Threads that decode and augment pictures. Default 1. */
  readonly workers?: number | undefined
  /** Only make a few steps of each stage, of two batches at most, to measure what all would take; nothing is written. */
  readonly dryRun?: boolean | undefined
  /** For people: how the labels of the data were understood, what lies there and was passed over. */
  readonly onNote?: ((note: string) => void) | undefined
  readonly onStep?: ((report: StepReport) => void) | undefined
  readonly onValidation?: ((report: ValidationReport) => void) | undefined
}

const trainKeys: OptionKeys<TrainOptions> = {
  ...downloadKeys,
  to: true,
  set: true,
  teacher: true,
  output: true,
  seed: true,
  resume: true,
  overwrite: true,
  checkpointEvery: true,
  validation: true,
  validationNames: true,
  without: true,
  validateFirst: true,
  patience: true,
  validationLimit: true,
  validateEvery: true,
  validationSettings: true,
  device: true,
  threads: true,
  workers: true,
  dryRun: true,
  onNote: true,
  onStep: true,
  onValidation: true,
}

/** @throws BlvitError `BAD_OPTION` */
export function checkTrainOptions(options: TrainOptions): void {
  checkOptions('option of a training', options, trainKeys)
  const { checkpointEvery, validateEvery, validationLimit, patience, threads, workers } = options
  checkWholeNumbers({ checkpointEvery, validateEvery, validationLimit, patience })
  checkThreads(threads)
  checkWorkers(workers)
}
