import { type Initialiser, zeros } from '../graph/initialiser.js'
import {
  convolution as convolutionOp,
  parameter,
  reshape,
  transpose,
  transposedConvolution,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'

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
 * A map of twice the size: each place becomes four; parameters `name.weight [in, out, 2, 2]` and `name.bias [out]`.
 * @param x `[batch, in, rows, columns]` @returns `[batch, out, 2·rows, 2·columns]`
 */
export function doublingConvolution(name: string, x: Tensor, { out }: { out: number }): Tensor {
  return scope(name, () => {
    const inputs = channelsOf(x)
    const weight = parameter('weight', [inputs, out, 2, 2], keepsVariance(inputs))
    return transposedConvolution(x, weight, parameter('bias', [out], zeros), { stride: 2 })
  })
}

/** A {@link convolution} with the batch norm behind it folded in: parameters `name.conv`, as timm calls it. */
export function normedConvolution(name: string, x: Tensor, options: ConvolutionOptions): Tensor {
  return scope(name, () => convolution('conv', x, options))
}
