import {
  argsort,
  compact,
  concat,
  constant,
  gather,
  reduceMax,
  reshape,
  slice,
  transpose,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'

/** What methods share that keep more tokens of one picture than of another. */

/** Which tokens go on: those that stay, and behind them rows that fill up a picture that keeps fewer than another. */
export interface Kept {
  /** int64 `[batch, kept]` */
  readonly order: Tensor
  /** 1 for those that stay, 0 for filling. `[batch, kept]` */
  readonly mask: Tensor
}

/** One row is left though nothing stays, because not every operator knows empty tensors. @param x `[tokens]` */
function withFirst(x: Tensor): Tensor {
  return concat([constant(1, [1]), slice(x, { axis: 0, start: 1 })], { axis: 0 })
}

/**
 * Puts the tokens that stay in front, in the order in which they come, and ends behind the last one of the picture that
 * keeps most: of one picture exactly those that stay go on.
 * @param stays 1 for each that stays. `[batch, tokens]`
 * @param options `size`: a name for how many go on, which the run decides. `gathered`: false keeps all rows, filling behind
 *   those that stay. `order`: int64 `[batch, tokens]`, the order that `stays` is in; default: as they are
 */
export function keepMarked(
  stays: Tensor,
  {
    size,
    gathered,
    order,
  }: { readonly size: string; readonly gathered: boolean; readonly order?: Tensor | undefined },
): Kept {
  const tokens = sizeAt(stays, 1)
  const front = argsort(stays)
  const byPlace = transpose(gather(stays, front), [1, 0]) // [tokens, batch]
  const inAny = withFirst(reshape(reduceMax(byPlace), [tokens]))
  const cut = () => transpose(compact(transpose(front, [1, 0]), inAny, { size }), [1, 0])
  const places = gathered ? cut() : front
  return { order: order ? gather(order, places) : places, mask: gather(stays, places) }
}
