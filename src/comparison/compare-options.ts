import type { BlvitError } from '../base/blvit-error.js'
import type { BenchProgress } from '../bench/rounds.js'
import type { SubjectOptions } from '../bench/variants.js'
import type { Precision } from '../graph/lowering.js'
import type { Settings } from '../settings/settings.js'
import type { RowAnswers } from './answers.js'
import type { PlannedRow } from './plan-rows.js'

export interface CompareOptions {
  /** Labelled pictures. None: no accuracies. */
  readonly data?: readonly string[] | undefined
  /** Settings that each model without any is also run at, if it can take them. */
  readonly spread?: readonly Settings[] | undefined
  /** Keeps what is done in `comparison.state` there, so that a comparison that was stopped, or gets more rows, goes on. */
  readonly folder?: string | undefined
  /** Only the first so many pictures. Default: all. */
  readonly limit?: number | undefined
  /** Times that each row has its turn; 0: no times. Default 10. */
  readonly rounds?: number | undefined
  /** Default: as the engine chooses. */
  readonly threads?: number | undefined
  /** Default fp32. */
  readonly precision?: Precision | undefined
  /** Decides what is picked at random. Default 0. */
  readonly seed?: number | undefined
  /** Don't ask the hub. Default: see `HF_HUB_OFFLINE`. */
  readonly offline?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onDownload?: SubjectOptions['onDownload']
  readonly onProgress?: ((progress: CompareProgress) => void) | undefined
  /** Told of each row that has answered, and of each that fails. */
  readonly onRow?: ((row: PlannedRow, outcome: RowAnswers | BlvitError) => void) | undefined
}

/** How far a comparison has come. */
export type CompareProgress =
  /** Pictures of all rows; `resumed` of them were done before. */
  | { readonly doing: 'answering'; readonly done: number; readonly total: number; readonly resumed: number }
  | BenchProgress
