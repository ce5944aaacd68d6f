import { times } from '../graph/dim.js'
import { type Initialiser, zeros } from '../graph/initialiser.js'
import {
  add,
  concat,
  convolution as convolutionOp,
  counted,
  matmul,
  parameter,
  reshape,
  transpose,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { widthOf } from './linear.js'

/** Channels of a map, which a convolution needs to know as a number. */
export function channelsOf(map: Tensor): number {
  const channels = sizeAt(map, 1)
  if (typeof channels !== 'number') throw new Error(`blvit bug: symbolic channels ${channels}`)
  return channels
}

/** Rows and columns of a map. */
export function placesOf(map: Tensor): { readonly rows: number; readonly columns: number } {
  const [rows, columns] = [sizeAt(map, 2), sizeAt(map, 3)]
  if (typeof rows !== 'number' || typeof columns !== 'number') {
    throw new Error(`blvit bug: a map of symbolic size ${rows}×${columns}`)
  }
  return { rows, columns }
}

/**
 * Tokens as the map whose places they are, row by row: what `mapToTokens` undoes.
 * @param tokens `[batch, rows·columns, width]` @returns `[batch, width, rows, columns]`
 */
export function tokensToMap(tokens: Tensor, { rows, columns }: { rows: number; columns: number }): Tensor {
  const [batch, width] = [sizeAt(tokens, 0), sizeAt(tokens, 2)]
  return reshape(transpose(tokens, [0, 2, 1]), [batch, width, rows, columns])
}

export interface ConvolutionOptions {
  readonly out: number
  /** Side of the kernel. Default 1. */
  readonly kernel?: number
  /** Default 1. */
  readonly stride?: number
  /** Parts of the channels that don't see each other. Default 1. */
  readonly groups?: number
  /** Zeros around the map. Default: half of the kernel, which keeps the size. */
  readonly padding?: number
  /** Default true. */
  readonly bias?: boolean
  /** Of the weight; default: {@link keepsVariance}. The bias starts at 0. */
  readonly initialiser?: Initialiser
}

/**
 * Normal numbers of deviation √(2 ⁄ inputs), of which each sum is about as large as what it sums up, behind a ReLU (He et al.
 * 2015). Batch norms would see to it; folded ones can't.
 */
function keepsVariance(inputs: number): Initialiser {
  return { kind: 'truncatedNormal', deviation: Math.sqrt(2 / inputs) }
}

/**
 * A convolution that leaves a map its size but for the stride; parameters `name.weight [out, in/groups, kernel, kernel]` and
 * `name.bias [out]`.
 * @param x `[batch, in, rows, columns]` @returns `[batch, out, ⌈rows/stride⌉, ⌈columns/stride⌉]`
 */
export function convolution(
  name: string,
  x: Tensor,
  {
    out,
    kernel = 1,
    stride = 1,
    groups = 1,
    padding = Math.floor(kernel / 2),
    bias: hasBias = true,
    initialiser,
  }: ConvolutionOptions,
): Tensor {
  return scope(name, () => {
    const inputs = channelsOf(x) / groups
    const shape = [out, inputs, kernel, kernel]
    const weight = parameter('weight', shape, initialiser ?? keepsVariance(inputs * kernel ** 2))
    const bias = hasBias ? parameter('bias', [out], zeros) : undefined
    return convolutionOp(x, weight, bias, { stride, groups, padding })
  })
}

/**
 * A map of twice the size: each place becomes four. A transposed convolution of kernel and stride 2, whose kernels don't meet:
 * a product, as it is. Parameters `name.weight [in, out, 2, 2]` and `name.bias [out]`.
 * @param tokens places of the map, in any order. `[batch, places, in]`
 * @returns its places for each of those: upper left, upper right, lower left, lower right. `[batch, 4·places, out]`
 */
export function doubled(name: string, tokens: Tensor, { out }: { out: number }): Tensor {
  return scope(name, () => {
    const [batch, places, inputs] = [sizeAt(tokens, 0), sizeAt(tokens, 1), widthOf(tokens)]
    const weight = parameter('weight', [inputs, out, 2, 2], keepsVariance(inputs))
    const bias = parameter('bias', [out], zeros)
    const four = matmul(tokens, reshape(transpose(weight, [0, 2, 3, 1]), [inputs, 4 * out]))
    const all = add(four, concat([bias, bias, bias, bias], { axis: 0 }))
    const split = reshape(all, [batch, times(4, places), out])
    // profilers count it as if every output pixel met all four taps
    return counted(split, { thopExcess: times(3, times(times(batch, places), inputs * 4 * out)) })
  })
}

/**
 * Places that were {@link doubled} so many times, as the map that they are.
 * @param tokens `[batch, rows·columns·4·…·4, width]` @param grid of the map before
 * @returns `[batch, width, 2·…·2·rows, 2·…·2·columns]`
 */
export function doubledToMap(
  tokens: Tensor,
  { rows, columns, doublings }: { rows: number; columns: number; doublings: number },
): Tensor {
  const [batch, width] = [sizeAt(tokens, 0), sizeAt(tokens, 2)]
  const steps = Array.from({ length: doublings }, (_, at) => at)
  // [batch, rows, columns, (down, across) of each doubling, width]
  const split = reshape(tokens, [batch, rows, columns, ...steps.flatMap(() => [2, 2]), width])
  const axes = (first: number) => [first, ...steps.map((at) => first + 2 + 2 * at)]
  const map = transpose(split, [0, 3 + 2 * doublings, ...axes(1), ...axes(2)])
  return reshape(map, [batch, width, rows * 2 ** doublings, columns * 2 ** doublings])
}

/** A {@link convolution} with the batch norm behind it folded in: parameters `name.conv`, as timm calls it. */
export function normedConvolution(name: string, x: Tensor, options: ConvolutionOptions): Tensor {
  return scope(name, () => convolution('conv', x, options))
}
