import type { SettingResult } from '../tasks/node/evaluate/tally.js'

/** Where in a training something happened. */
export interface StagePlace {
  /** What the stage is after, e.g. `block imitation`. */
  readonly objective: string
  /** Counted from 1. */
  readonly stage: number
  /** Of the recipe. */
  readonly stages: number
  /** Of the stage, counted from 1. */
  readonly step: number
  /** Of the stage. */
  readonly steps: number
}

/** What a step tells. */
export interface StepReport extends StagePlace {
  /** `loss`, its parts and `gradient_norm`. */
  readonly losses: Readonly<Record<string, number>>
  readonly learningRate: number
  /** What the student ran at, e.g. `keep ratio 0.5`; undefined where it doesn't run as it will later. */
  readonly setting: string | undefined
  /** Of this run of the stage so far, without its first step. */
  readonly imagesPerSecond: number
  /** Of what matrix products alone reach on this machine: how much of the stage's time so far was multiply-adds. */
  readonly shareOfGemmRate?: number
  /** Mean of this run of the stage so far, without its first step: NaN after that. */
  readonly msPerStep: number
  /** Time that the steps of the stage still to come will take. */
  readonly leftMs: number
  /** What this run of the stage has taken since its first step. */
  readonly elapsedMs: number
  /** Part of it in which the engine waited for pictures. */
  readonly waitedMs: number
  /** Why some pictures were left out before this step. */
  readonly complaints: readonly string[]
}

/** How good the model was in the middle of a training. */
export interface ValidationReport extends StagePlace {
  readonly results: readonly SettingResult[]
  /** Pictures that couldn't be used. */
  readonly failures: number
  /** Whether it was never better, on average over the settings. */
  readonly best: boolean
}
