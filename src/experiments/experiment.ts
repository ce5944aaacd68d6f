import type { ConfigJson } from '../models/architecture.js'
import type { Recipe } from '../recipes/recipe.js'
import type { Claim } from './claims.js'
import type { TableTaskName } from './table-task.js'

/** A ViT trained from random weights, from which all rows of an experiment start. */
export interface TeacherPlan {
  readonly config: ConfigJson
  /** Names of its classes, in class order. */
  readonly labels: readonly string[]
  readonly recipe: Recipe
  /** In place of the recipe's number. */
  readonly pictures: number
}

/** How a student is made of the teacher. Weights that the teacher doesn't have start anew from the run's seed. */
export interface StudentPlan {
  /** Another configuration that takes the teacher's weights, one with E-blocks for example. Default: the teacher's. */
  readonly to?: ConfigJson
  /** Its sizes alone are the teacher's: all weights start anew. */
  readonly isFresh?: boolean
  /** Keys of config.json to change: the size of pictures, the reduction that it is made for. */
  readonly set?: ConfigJson
  /** Only so many of the teacher's blocks. */
  readonly firstLayers?: number
  /** ATF's mask, calibrated on the training pictures: the share of patches that stay, those that receive most attention. */
  readonly calibratedMask?: number
}

/** What a paper says came of the same on its data. */
export interface PaperFigure {
  /** Points of top-1 that it has more than the whole model. */
  readonly points: number
  /** The share of the whole model's multiply-adds. */
  readonly share: number
  /** Of which model, for people. */
  readonly of: string
}

/** A row of a table of trained models. */
export interface ExperimentRow {
  /** As users type it; no two rows of an experiment have the same. */
  readonly name: string
  /** As the table shows it. */
  readonly title: string
  /** Saves work without any method: what a method has to beat. */
  readonly isControl?: boolean
  readonly student: StudentPlan
  /** What it is trained by; undefined: it isn't, and it is measured once. */
  readonly recipe?: Recipe
  readonly paper?: PaperFigure
}

/** A table of models that are trained from one teacher under one budget. One file each. */
export interface Experiment {
  /** As users type it. */
  readonly name: string
  readonly title: string
  /** What is the same for all rows and what isn't, in a sentence or two. */
  readonly about: string
  /** What its models are for. Default `labels`. */
  readonly task?: TableTaskName
  readonly teacher: TeacherPlan
  /** The row of the whole model, which shares and differences are of. */
  readonly whole: string
  readonly rows: readonly ExperimentRow[]
  /** Seeds 0, 1, … of each row that is trained: they decide new weights, order, crops and noise. */
  readonly seeds: number
  /** What papers say, as judged by the rows. */
  readonly claims: readonly Claim[]
}
