import type { Dim } from '../graph/dim.js'
import {
  addAt,
  concat,
  divide,
  expand,
  gather,
  inverseOrder,
  multiply,
  subtract,
  table,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { ofChannels } from './bipartite.js'

/** Which tokens become part of which others. */
export interface Joining {
  /** Those that are left, in their new order. int64 `[batch, left]` */
  readonly stay: Tensor
  /** The others. int64 `[batch, gone]` */
  readonly gone: Tensor
  /** Where what each of the others becomes part of stands among those that are left. int64 `[batch, gone]` */
  readonly into: Tensor
}

/** Indices that are known when the graph is built, the same for each picture. int64 `[batch, count]` */
export function indices(batch: Dim, count: number, index: (place: number) => number): Tensor {
  const values = Array.from({ length: count }, (_, place) => index(place))
  return expand(table(values, [1, count], { dtype: 'int64' }), [batch, count])
}

/** Adds to each token that is left those that become part of it. @param x of all tokens. `[batch, tokens]` or with channels */
export function joined(x: Tensor, { stay, gone, into }: Joining): Tensor {
  return addAt(gather(x, stay), gather(x, gone), into)
}

/**
 * The mean of what each token that is left is made of: it moves towards the others by their shares in the sum of the weights,
 * so that only they are computed with.
 * @param weights of all tokens. `[batch, tokens]` @returns what takes numbers of all tokens, `[batch, tokens, width]`
 */
export function averagedBy(weights: Tensor, joining: Joining): (x: Tensor) => Tensor {
  const { stay, gone, into } = joining
  const shares = divide(gather(weights, gone), gather(joined(weights, joining), into))
  return (x) => {
    const left = gather(x, stay)
    const apart = subtract(gather(x, gone), gather(left, into))
    return addAt(left, multiply(apart, ofChannels(shares)), into)
  }
}

/** What each of all tokens has become part of. @param x of those that are left. `[batch, left]` or with channels */
export function ofWhole(x: Tensor, { stay, gone, into }: Joining): Tensor {
  const left = indices(sizeAt(stay, 0), Number(sizeAt(stay, 1)), (place) => place)
  const wholes = concat([left, into], { axis: 1 })
  return gather(x, gather(wholes, inverseOrder(concat([stay, gone], { axis: 1 }))))
}
