import type { z } from 'zod'
import type { Tensor } from '../../graph/tensor.js'
import type { Architecture } from '../../models/architecture.js'
import type { SettingsPlan } from '../settings-plan.js'

/** What a stage makes better, as symbolic tensors. */
export interface StageGraph {
  /** `[1]` */
  readonly loss: Tensor
  /** Parts of the loss, unweighted, each `[1]`. */
  readonly reports: Readonly<Record<string, Tensor>>
  /** Inputs whose value is a size of the graph. */
  readonly sizes: readonly Tensor[]
}

/** Who takes part in a stage. */
export interface StageModels {
  readonly student: Architecture
  /** A plain ViT; undefined where nothing is learned from one. */
  readonly teacher: Architecture | undefined
}

/** What a stage is after, and what it may change. */
export interface StageObjective<Options> {
  /** Whether a teacher's weights are needed beside the student's. */
  needsTeacher(options: Options): boolean
  /** Whether answers are compared class by class, so that both models must have the same ones; default: they aren't. */
  comparesClasses?(options: Options): boolean
  /** @throws BlvitError `BAD_OPTION`, `SHAPE_MISMATCH` if these models can't do that */
  build(models: StageModels, options: Options): StageGraph
  /** The settings of the student in each step; absent where it doesn't run as it will later. */
  settings?(options: Options, student: Architecture): SettingsPlan
  /** Whether a parameter may change at all; a recipe can freeze more. */
  learns(parameter: string, student: Architecture): boolean
  /** The parameter whose numbers a parameter begins with instead of its own. */
  startsAs?(parameter: string, student: Architecture): string | undefined
}

/** A kind of stage. */
export interface StageKind<Options = unknown> extends StageObjective<Options> {
  /** Its part of a recipe's stage. */
  readonly schema: z.ZodType<Options>
}
