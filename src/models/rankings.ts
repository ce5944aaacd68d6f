import { sameDim } from '../graph/dim.js'
import { concat, noiseInput, reshape, slice, softmax, where } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { type Predicting, predicted } from './prediction-layers.js'
import type { Route } from './routing.js'

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
type Ranking = (input: RankingInput) => Tensor

/** The paper's: softmax over the patches of what a prediction layer says. */
const predictor: Ranking = ({ index, patches, predicting }) =>
  scope('predictors', () => softmax(logitsOf(index, patches, predicting)))

/** The CLS row of the last attention map that covers the token. */
const cls: Ranking = ({ prefix, patches, clsAttention, last }) => {
  const received = slice(clsAttention(), { axis: 1, start: prefix })
  if (!last || sameDim(sizeAt(received, 1), sizeAt(patches, 1))) return received
  // Without semi-cross attention the map covers primary tokens only; the others keep their older score.
  const { kept, scores, stays } = last
  const [older, oldest] = [slice(scores, { axis: 1, end: kept }), slice(scores, { axis: 1, start: kept })]
  const primary = stays ? where(slice(stays, { axis: 1, end: kept }), received, older) : received
  return concat([primary, oldest], { axis: 1 })
}

/** Noise: a seed decides, and every engine agrees. */
const random: Ranking = ({ index, patches }) =>
  softmax(noiseInput(`selection_noise.${index}`, patches.shape.slice(0, 2)))

/** Every value of the `selection` switch (spec §5). Adding one is a function above and its name here. */
export const rankings = { predictor, cls, random } satisfies Record<string, Ranking>

/**
 * What a prediction layer says of each patch, before the softmax.
 * @param index counts the selections from 0 @param patches `[batch, patches, width]`
 * @returns `[batch, patches]`
 */
export function predictorLogits(index: number, patches: Tensor, predicting: Predicting): Tensor {
  return scope('predictors', () => logitsOf(index, patches, predicting))
}

function logitsOf(index: number, patches: Tensor, predicting: Predicting): Tensor {
  const logits = scope(index, () => predicted(patches, predicting))
  return reshape(logits, patches.shape.slice(0, 2))
}
