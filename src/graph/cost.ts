import { type Dim, plus, times } from './dim.js'

/**
 * What an op costs, in parts, because the papers count differently. All are polynomials in the run-time
 * sizes. One multiply plus one add is 1. An op may name a kind of its own, e.g. `compared` or `pooled`: it is added
 * up as the others are, and a convention that doesn't ask for it doesn't count it.
 */
export interface Cost {
  /** Multiply-adds of linear maps and convolutions. */
  readonly linear: Dim
  /** Multiply-adds of the two attention products q·kᵀ and A·v. */
  readonly attention: Dim
  /** Elements that pass a LayerNorm. */
  readonly normalised: Dim
  readonly [kind: string]: Dim
}

export const noCost: Cost = { linear: 0, attention: 0, normalised: 0 }

export function addCosts(a: Cost, b: Cost): Cost {
  const kinds = Object.keys({ ...a, ...b })
  return { ...noCost, ...Object.fromEntries(kinds.map((kind) => [kind, plus(a[kind] ?? 0, b[kind] ?? 0)])) }
}

/**
 * The three ways in which papers count multiply-adds.
 * - `linear`: linear maps and convolutions only, as a module hook sees them. The bLViT paper's ViT-B: 16.85 G.
 * - `thop`: `linear` plus 4 per LayerNorm element, the rule of the thop profiler; gives the paper's figures. A
 *   transposed convolution counts there as if every output pixel met every tap: `thopExcess` is what that is too many.
 * - `full`: `linear` plus the attention products: fvcore's count without its 5 per LayerNorm element.
 */
export const conventions = {
  linear: (cost: Cost): Dim => cost.linear,
  thop: (cost: Cost): Dim => plus(plus(cost.linear, times(4, cost.normalised)), cost.thopExcess ?? 0),
  full: (cost: Cost): Dim => plus(cost.linear, cost.attention),
} as const

export type Convention = keyof typeof conventions
