import type { GemmSize } from '../engine/gemm-sizes.js'
import type { Bindings } from '../graph/dim.js'
import type { Precision } from '../graph/lowering.js'
import type { ConfigJson } from '../models/architecture.js'
import type { DeviceRequest } from '../runtime/device.js'
import type { Settings } from '../settings/settings.js'
import type { ProfiledNode } from './read-profile.js'
import type { TrainingCaseName } from './training/cases.js'

/** A model with its weights, or a configuration, which gets random ones. */
export type MeasuredModel = { readonly folder: string } | { readonly config: ConfigJson }

/** What a process of the benchmark measures. */
export type Workload =
  /** `settings`: loaded at once */
  | { readonly kind: 'model'; readonly model: MeasuredModel; readonly settings: Settings }
  /** The same model with an engine for each processor. */
  | { readonly kind: 'many'; readonly model: MeasuredModel; readonly settings: Settings }
  | { readonly kind: 'gemm'; readonly sizes: readonly GemmSize[] }
  /** Picture files to labels, by a library. `folder`: the model, in a form that the library reads */
  | {
      readonly kind: 'pictures'
      readonly library: 'blvit' | 'transformers.js'
      readonly folder: string
      readonly pictures: readonly string[]
    }
  | { readonly kind: 'training'; readonly name: TrainingCaseName }
  /** The small ViT of the training steps, by the first of some Pythons that has torch. */
  | { readonly kind: 'torch training'; readonly pythons: readonly string[] }

export interface EngineChoice {
  readonly device: DeviceRequest
  /** Undefined: as the engine chooses. */
  readonly threads: number | undefined
  readonly precision: Precision
}

/** One way to run a workload. */
export type Job =
  | { readonly kind: 'model'; readonly batch: number; readonly settings: Settings }
  /** As many pictures as the process said when it was loaded. */
  | { readonly kind: 'many'; readonly settings: Settings }
  | { readonly kind: 'gemm'; readonly index: number }
  /** The first so many of the pictures. */
  | { readonly kind: 'pictures'; readonly count: number }
  /** One step. */
  | { readonly kind: 'training' }

/** One run. */
export interface Run {
  readonly ms: number
  /** Share of the run's time that its threads waited for a busy processor; undefined where nobody tells. */
  readonly waitShare: number | undefined
}

/** What the parent asks of a process, and what it answers. */
export interface Questions {
  /** @param ask `profileFolder`: an empty folder of the parent's for the engine's profile; without it there is none */
  load: {
    ask: EngineChoice & { workload: Workload; profileFolder?: string }
    answer: Pick<Program, 'engine' | 'many' | 'counted'>
  }
  /** Runs, twice at least, until the time no longer falls. @param ask `longestMs`: the end of it, default 5000 */
  warmUp: { ask: { job: Job; longestMs?: number | undefined }; answer: undefined }
  /** The most memory that the process has held so far, in bytes. */
  peakMemory: { ask: undefined; answer: number }
  sample: { ask: { job: Job; atLeastMs: number; atLeastRuns: number }; answer: readonly Run[] }
  /** The time of each node, summed over some runs; ends the profile. */
  profile: { ask: { job: Job; runs: number }; answer: readonly ProfiledNode[] }
}

/** How many pictures are run on engines beside each other. */
export interface ManyRun {
  readonly lanes: number
  /** Of each lane. */
  readonly threads: number
  /** Pictures that a lane takes at once. */
  readonly batch: number
  /** Of one job. */
  readonly pictures: number
}

/** A workload that its process has loaded. */
export interface Program {
  /** Who runs it, e.g. `ONNX Runtime 1.30.0 native`. */
  readonly engine: string
  /** Of a job of many pictures in some settings; absent for other workloads. */
  readonly many?: ManyRun
  /** Sizes of a model's graph that its pictures decide, of one of them; absent where they decide none. */
  readonly counted?: Bindings
  run(job: Job): Promise<unknown>
  /** Writes what the engine recorded since it was loaded; it records nothing afterwards. */
  endProfile(): Promise<void>
  dispose(): Promise<void>
}

export interface ProgramOptions extends EngineChoice {
  /** Where the engine writes its profile; undefined: it keeps none. */
  readonly profilePrefix: string | undefined
}
