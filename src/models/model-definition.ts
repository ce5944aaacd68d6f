import { BlvitError } from '../base/blvit-error.js'
import type { Bindings } from '../graph/dim.js'
import type { Tensor } from '../graph/tensor.js'
import type { BlockHooks } from './block-loop.js'
import type { OwnTraining } from './own-training.js'
import type { TokenEvent } from './token-history.js'

/** The input that every model reads pictures from. `[batch, channels, height, width]` */
export const pixelsInput = 'pixel_values'

/** Something that a model can be asked for: its outputs by name. */
export type Program = Readonly<Record<string, Tensor>>

/** A model that cuts things out of pictures, as programs that other libraries run; each is built when it is asked for. */
export interface PortablePrograms {
  /** The decoder of segment-anything's own exporter. @param options `single`: the one mask that it is about, not all four */
  officialDecoder(options: { single: boolean }): Program
  /** transformers' `SamModel`, in the two files of its ONNX form. */
  visionEncoder(): Program
  promptDecoder(): Program
}

/**
 * A model as symbolic tensors. What it can do is a table of programs, because not every model classifies: a problem
 * (`src/problems/`) asks for the program that it reads, and a graph is made of that program alone. By name:
 * - `classify`: `logits [batch, classes]`, before softmax
 * - `head`: `head_input [batch, inputs]`, what the heads read: the logits are a linear map of it
 * - `embed`: `features [batch, prefix + patches, width]`, all tokens after the final norm, in patch order where the
 *   model keeps all of them; where it has joined some, or keeps more of one picture than of another,
 *   `token_sizes [batch, tokens]`, how many each stands for, 0 for rows that only fill up; of a CLIP tower that has one,
 *   `embedding [batch, projection]`
 * - `encode`, of a model that cuts out things: `image_embeddings`; `decode` and `refine`: `low_res_masks` and
 *   `iou_predictions` of an embedding and prompts; `answer`: these of pictures and prompts at once, for one that learns
 * - `heads`, of a DeiT whose two heads learn different things: `class_logits` and `distillation_logits [batch, classes]`
 */
export interface ModelDefinition {
  readonly programs: Readonly<Record<string, Program>>
  /** What the model does to some tokens and not to others, in order; empty where it treats all alike. */
  readonly history: readonly TokenEvent[]
  /** Inputs whose value is a size of the graph. */
  readonly sizes: readonly Tensor[]
  /** What the method in its block loop wants to be learned, beside the answers of the programs. */
  readonly training?: OwnTraining | undefined
  /** Of a model that cuts things out of pictures: what other libraries run of it. */
  readonly portable?: PortablePrograms
}

/** What can be decided when a model is built rather than when it runs. */
export interface BuildOptions {
  /**
   * Sizes that are numbers from the start, by name, e.g. `{ kept: 49 }`: the patches that a bLViT sends through its big
   * blocks. A size that isn't given is an input of the graph.
   */
  readonly sizes?: Bindings
  /**
   * Of a bLViT: the share of all scores, 0 to 1, that the chosen patches hold; the fewest that do are chosen, of each picture
   * its own number, and `kept` is no size of the graph.
   */
  readonly keepMass?: number
  /** Of a big.LITTLE encoder with windows: the share of each that goes through its big blocks. */
  readonly keepRatio?: number
  /** What reduces tokens, teaches or looks on; for models that run the plain block loop. */
  readonly hooks?: BlockHooks
  /** Of a bLViT that learns: no gradient passes from its predictors to what they read, so that each learns for itself. */
  readonly predictorsAlone?: boolean
  /** Of a model that cuts out things and learns: so many prompts of each picture, which its program `answer` takes with the pictures. */
  readonly promptsPerPicture?: number
}

/** @throws BlvitError `UNSUPPORTED` for a model that can't do that */
export function programOf({ programs }: Pick<ModelDefinition, 'programs'>, name: string): Program {
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined
  if (program) return program
  const known = Object.keys(programs).join(', ')
  throw new BlvitError(
    'UNSUPPORTED',
    name === 'classify'
      ? 'This model has no classifier, it is a backbone: ask for its features (blvit embed), or take one with a head.'
      : `This model can't ${name}. It can ${known}.`,
    { program: name, known },
  )
}

/** An output of a program. @throws BlvitError `UNSUPPORTED` for a model that doesn't have it */
export function outputOf(model: Pick<ModelDefinition, 'programs'>, name: string, output: string): Tensor {
  const tensor = programOf(model, name)[output]
  if (tensor) return tensor
  throw new BlvitError('UNSUPPORTED', `This model's ${name} has no output "${output}".`, { output })
}
