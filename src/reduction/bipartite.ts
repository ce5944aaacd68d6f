import { BlvitError } from '../base/blvit-error.js'
import type { Dim } from '../graph/dim.js'
import {
  constant,
  divide,
  expand,
  logarithm,
  matmul,
  maximum,
  multiply,
  reduceSum,
  reshape,
  slice,
  squareRoot,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'

/** What methods that merge tokens share: two halves, how alike their tokens are, and sizes that count on. */

/**
 * Patches alternate between sources, at even places among all tokens, and destinations; the prefix is neither.
 * @param x `[batch, tokens]` or `[batch, tokens, width]`
 */
export function halves(x: Tensor, prefix: number): { sources: Tensor; destinations: Tensor } {
  const everySecond = (start: number) => slice(x, { axis: 1, start, step: 2 })
  return { sources: everySecond(prefix + (prefix % 2)), destinations: everySecond(prefix + 1 - (prefix % 2)) }
}

/** Where a source and a destination stand among all tokens, prefix included, by their places in their halves. */
export const placeOfSource = (prefix: number, index: number) => prefix + 2 * index + (prefix % 2)
export const placeOfDestination = (prefix: number, index: number) => prefix + 2 * index + 1 - (prefix % 2)

/**
 * @param r how many tokens a block shall merge into others
 * @throws BlvitError `BAD_OPTION` for more than half of the patches: each joins one of the other half
 */
export function assertMergeable(
  reduction: string,
  r: number,
  { patches }: { readonly patches: number },
): void {
  const most = Math.floor(patches / 2)
  if (r <= most) return
  throw new BlvitError(
    'BAD_OPTION',
    `${reduction} shall merge ${r} tokens in a block, but each becomes part of one of the other half: of ${patches} patches at most ` +
      `${most} can. Take ${reduction}:${most} or fewer.`,
    { reduction, r, most },
  )
}

/** 1 over the length of each token. @param x `[batch, tokens, width]` @returns `[batch, tokens, 1]` */
function inverseLength(x: Tensor): Tensor {
  const length = squareRoot(reduceSum(multiply(x, x), { axes: [-1] }))
  // a token of zeros is like no other, instead of no number
  return divide(constant(1, [1]), maximum(length, 1e-12))
}

/** How alike each source is to each destination: products of tokens over their lengths. `[batch, sources, destinations]` */
export function cosines({ sources, destinations }: { sources: Tensor; destinations: Tensor }): Tensor {
  const products = matmul(sources, destinations, { transposeB: true })
  const ofDestinations = reshape(inverseLength(destinations), [
    sizeAt(destinations, 0),
    1,
    sizeAt(destinations, 1),
  ])
  return multiply(multiply(products, inverseLength(sources)), ofDestinations)
}

/** A number of each token as a factor of its channels. */
export function ofChannels(x: Tensor): Tensor {
  return reshape(x, [...x.shape, 1])
}

/** 1 for each token. `[batch, tokens]` */
export function ones(batch: Dim, tokens: Dim): Tensor {
  return expand(constant(1, [1, tokens]), [batch, tokens])
}

/** log(size) as a bias of the keys: a token that stands for several counts as often (ToMe §3, "proportional attention"). */
export function proportionalBias(size: Tensor): Tensor {
  return reshape(logarithm(size), [sizeAt(size, 0), 1, 1, sizeAt(size, 1)])
}
