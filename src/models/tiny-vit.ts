import { truncatedNormal, zeros } from '../graph/initialiser.js'
import {
  add,
  attention,
  gelu,
  linear as linearOp,
  mapToTokens,
  parameter,
  pick,
  reshape,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { attentionBiases } from '../nn/attention-biases.js'
import { type ConvolutionOptions, channelsOf, convolution, placesOf, tokensToMap } from '../nn/convolution.js'
import { layerNorm } from '../nn/layer-norm.js'
import { linear, widthOf } from '../nn/linear.js'
import { tokensToWindows, windowPlan, windowsToTokens, withPaddingRow } from '../nn/windows.js'

/** A stage of attention, behind the one of convolutions. */
interface TinyVitStage {
  /** Channels. */
  readonly width: number
  readonly depth: number
  readonly heads: number
  /** Side of the windows of attention, in places of the map. */
  readonly window: number
  /** Of the merging that leads to it: 2 halves the map, 1 leaves it. */
  readonly stride: 1 | 2
}

/** TinyViT (Wu et al. 2022), as MobileSAM has it: its last merging leaves the map's size. */
export interface TinyVitConfig {
  readonly kind: 'tiny-vit'
  /** The first stage, of convolutions. */
  readonly first: { readonly width: number; readonly depth: number }
  readonly stages: readonly TinyVitStage[]
  /** Hidden width of convolutions and of MLPs ÷ width. */
  readonly expansion: number
}

/** Pixels of a place of the first map: two convolutions of stride 2. */
const firstStride = 4

/** PyTorch's own. */
const epsilon = 1e-5

/** A convolution with the batch norm behind it folded in; parameters `name.c`. */
function normed(name: string, x: Tensor, options: ConvolutionOptions): Tensor {
  return scope(name, () => convolution('c', x, options))
}

/** An inverted bottleneck (Sandler et al. 2018), its depthwise convolution of kernel 3. */
function bottleneck(x: Tensor, { expansion }: TinyVitConfig): Tensor {
  const out = channelsOf(x)
  const hidden = out * expansion
  const wide = gelu(normed('conv1', x, { out: hidden }))
  const mixed = gelu(normed('conv2', wide, { out: hidden, kernel: 3, groups: hidden }))
  // it starts as nothing, as the official batch norm of weight 0 makes it
  return gelu(add(x, normed('conv3', mixed, { out, initialiser: zeros })))
}

/** To the next width, and half of the size unless the stride is 1. */
function merging(x: Tensor, { width: out, stride }: TinyVitStage): Tensor {
  return scope('downsample', () => {
    const wide = gelu(normed('conv1', x, { out }))
    const mixed = gelu(normed('conv2', wide, { out, kernel: 3, stride, groups: out }))
    return normed('conv3', mixed, { out })
  })
}

/** Queries, keys and values of a map whose rows stand head by head, the three of a head side by side. */
function headwise(name: string, x: Tensor, heads: number): Readonly<Record<'q' | 'k' | 'v', Tensor>> {
  const width = widthOf(x)
  const each = width / heads
  return scope(name, () => {
    const weight = parameter('weight', [3 * width, width], truncatedNormal)
    const bias = parameter('bias', [3 * width], zeros)
    const part = (at: number) => {
      const rows = Array.from({ length: width }, (_, row) => {
        const [head, channel] = [Math.floor(row / each), row % each]
        return (3 * head + at) * each + channel
      })
      return linearOp(x, pick(weight, rows, { axis: 0 }), pick(bias, rows, { axis: 0 }))
    }
    return { q: part(0), k: part(1), v: part(2) }
  })
}

/**
 * Attention in the windows of a map, with a bias for each distance. Places of windows outside of the map are zeros before the
 * norm, and seen like any other: one row stands for all of them.
 * @param tokens row by row. `[batch, rows·columns, width]`
 */
function attend(
  tokens: Tensor,
  { heads, window: side }: TinyVitStage,
  grid: { readonly rows: number; readonly columns: number },
): Tensor {
  const plan = windowPlan(grid, side)
  return scope('attn', () => {
    const read = layerNorm('norm', withPaddingRow(tokens, plan), { epsilon })
    const { q, k, v } = headwise('qkv', read, heads)
    const windows = (x: Tensor) => tokensToWindows(x, plan)
    const bias = reshape(attentionBiases({ heads, side }), [1, heads, side * side, side * side])
    const mixed = attention(windows(q), windows(k), windows(v), { heads, bias })
    return linear('proj', windowsToTokens(mixed, plan, sizeAt(tokens, 0)), { out: widthOf(tokens) })
  })
}

/** Attention, the neighbourhood of each place, and an MLP. @param map `[batch, width, rows, columns]` */
function block(map: Tensor, stage: TinyVitStage, { expansion }: TinyVitConfig): Tensor {
  const [grid, width] = [placesOf(map), channelsOf(map)]
  const tokens = mapToTokens(map)
  const looked = tokensToMap(add(tokens, attend(tokens, stage, grid)), grid)
  const mixed = mapToTokens(normed('local_conv', looked, { out: width, kernel: 3, groups: width }))
  const update = scope('mlp', () => {
    const hidden = gelu(linear('fc1', layerNorm('norm', mixed, { epsilon }), { out: width * expansion }))
    return linear('fc2', hidden, { out: width })
  })
  return tokensToMap(add(mixed, update), grid)
}

/**
 * TinyViT without its classifier, with the official code's names (microsoft/Cream, ChaoningZhang/MobileSAM).
 * @param pixels `[batch, 3, side, side]` @returns `[batch, width, rows, columns]` of the last stage
 */
export function tinyVit(pixels: Tensor, config: TinyVitConfig): Tensor {
  const { first, stages } = config
  let x = scope('patch_embed.seq', () => {
    const halving = { kernel: 3, stride: 2 }
    const half = gelu(normed('0', pixels, { out: first.width / 2, ...halving }))
    return normed('2', half, { out: first.width, ...halving })
  })
  for (let at = 0; at < first.depth; at++) {
    x = scope(`layers.0.blocks.${at}`, () => bottleneck(x, config))
  }
  for (const [index, stage] of stages.entries()) {
    x = scope(`layers.${index}`, () => merging(x, stage))
    for (let at = 0; at < stage.depth; at++) {
      x = scope(`layers.${index + 1}.blocks.${at}`, () => block(x, stage, config))
    }
  }
  return x
}

/** Pixels that a place of the last map stands for. */
export function tinyVitStride({ stages }: Pick<TinyVitConfig, 'stages'>): number {
  return stages.reduce((product, { stride }) => product * stride, firstStride)
}
