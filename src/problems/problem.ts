import type { OptionKeys } from '../base/check-options.js'
import type { Tensor } from '../graph/tensor.js'
import type { ModelDefinition } from '../models/model-definition.js'
import type { ScoreFunction } from '../models/score-function.js'

/** One picture's row of an output. */
export interface OutputRow {
  /** Without the batch: `[classes]`, `[tokens, width]`. */
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** What an answer is made with, beside the numbers. */
export interface AnswerContext {
  /** Class names in class order; empty for a model without a classifier. */
  readonly labels: readonly string[]
  /** How the numbers of its head become scores. */
  readonly scores: ScoreFunction
  /** Tokens before the patches. */
  readonly prefix: number
  /** Whether the first of them is a class token. */
  readonly classToken: boolean
  /** Length of CLIP's image embedding; undefined: the model has none. */
  readonly projection: number | undefined
}

/**
 * Something that can be asked of a picture: which outputs of a model answer it, and how their numbers are read.
 * Model, command line and pipelines know problems by this record only.
 */
export interface Problem<Answer, Options extends object = object> {
  readonly name: string
  /** Its options: any other that a caller gives is refused. Absent: nobody looks. */
  readonly optionKeys?: OptionKeys<Options>
  /** @throws BlvitError `UNSUPPORTED` for a model that can't answer it */
  outputs(model: ModelDefinition): Readonly<Record<string, Tensor>>
  /** @throws BlvitError `BAD_OPTION` before anything runs, for options that make no sense with this model */
  check?(options: Options, context: AnswerContext): void
  /**
   * Whether an answer is as probable as that, so that nothing dearer need be asked. Absent: answers aren't more or less
   * probable, and the problem can't be answered in two stages.
   */
  isSure?(rows: Readonly<Record<string, OutputRow>>, context: AnswerContext, sureFrom: number): boolean
  /** The answer for one picture. */
  answer(rows: Readonly<Record<string, OutputRow>>, context: AnswerContext, options: Options): Answer
}

/** A row that the problem itself asked for. */
export function rowOf(rows: Readonly<Record<string, OutputRow>>, name: string): OutputRow {
  const row = rows[name]
  if (!row) throw new Error(`blvit bug: the output ${name} is missing`)
  return row
}
