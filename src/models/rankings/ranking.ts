import type { Tensor } from '../../graph/tensor.js'
import type { Predicting } from '../prediction-layers/index.js'
import type { Route } from '../routing.js'

/** What a ranking of patches may look at. All tensors are in the stream's order. */
interface RankingInput {
  /** Counts the selections from 0. */
  readonly index: number
  /** Tokens before the patches. */
  readonly prefix: number
  /** `[batch, patches, width]` */
  readonly patches: Tensor
  /** Of the layer just computed; it covers all tokens, or the primary ones only. `[batch, keys]` */
  readonly clsAttention: () => Tensor
  readonly last: Route | undefined
  /** Of the prediction layers. */
  readonly predicting: Predicting
}

/** A score for each patch, `[batch, patches]`; the highest are chosen. */
export type Ranking = (input: RankingInput) => Tensor
