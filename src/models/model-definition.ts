import type { Dim } from '../graph/dim.js'
import type { Tensor } from '../graph/tensor.js'
import type { BlockHooks } from './block-loop.js'
import type { TokenEvent } from './token-history.js'

/** A point in a model where tokens are chosen for the expensive path. */
export interface Selection {
  /** The layer after which it is made, counted from 1 as in the paper. */
  readonly afterLayer: number
  /** The layers that it holds for, counted from 1. */
  readonly layers: readonly number[]
  /** The score of every patch, in patch order. `[batch, patches]` */
  readonly scores: Tensor
  /** All patch indices, chosen ones first. int64 `[batch, patches]` */
  readonly order: Tensor
  /** How many of them are chosen. */
  readonly chosen: Dim
}

/** A model as symbolic tensors: a task takes the outputs that it needs and makes a graph of them. */
export interface ModelDefinition {
  readonly outputs: {
    /** `[batch, classes]`, before softmax */
    readonly logits: Tensor
    /** All tokens after the final norm, in patch order. `[batch, prefix + patches, width]` */
    readonly features: Tensor
  }
  /** Empty for a model that treats all tokens alike. */
  readonly selections: readonly Selection[]
  /** What the model does to some tokens and not to others, in order; empty where it treats all alike. */
  readonly history: readonly TokenEvent[]
  /** Inputs whose value is a size of the graph. */
  readonly sizes: readonly Tensor[]
}

/** What can be decided when a model is built rather than when it runs. */
export interface BuildOptions {
  /** The number of patches that a model that routes sends through its big blocks; absent: decided at run time. */
  readonly kept?: number
  /** What reduces tokens, teaches or looks on; for models that run the plain block loop. */
  readonly hooks?: BlockHooks
}
