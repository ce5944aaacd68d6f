import { defined } from '../base/assert.js'
import { symbol } from '../graph/dim.js'
import { zeros } from '../graph/initialiser.js'
import {
  add,
  concat,
  input,
  mapToTokens,
  matmul,
  relu,
  reshape,
  scaleShift,
  slice,
  softmax,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { attentionBiases } from '../nn/attention-biases.js'
import { channelsOf, normedConvolution, placesOf } from '../nn/convolution.js'
import { linear } from '../nn/linear.js'
import { spatialMean } from '../nn/pooling.js'
import { squeezeExcite } from '../nn/squeeze-excite.js'
import { inWindows } from '../nn/windows.js'
import { type ModelDefinition, pixelsInput } from './model-definition.js'

/** One of the stages, each at half the resolution of the one before. */
export interface EfficientVitStage {
  /** Channels. */
  readonly width: number
  readonly depth: number
  readonly heads: number
  /** Channels of a head's queries and keys. */
  readonly keyWidth: number
  /** Side of the windows of attention, in places of the map. */
  readonly window: number
}

/** EfficientViT with cascaded group attention (Liu et al. 2023, "Memory efficient vision transformer"). */
export interface EfficientVitConfig {
  /** Pixels; a multiple of 16. */
  readonly side: number
  /** Colour channels: 3, or 1 for grey. */
  readonly channels: number
  readonly stages: readonly EfficientVitStage[]
  /** Sides of the kernels over the queries of the first, second, … head. */
  readonly kernels: readonly number[]
  /** 0: a backbone without a head. */
  readonly classes: number
  /** A second head for what a teacher says; the logits are the mean of both. */
  readonly distilled: boolean
}

/** Pixels of a place of the first stage's map: four convolutions of stride 2. */
export const firstStride = 16

/** Side of each stage's map, in places. */
export function stageSides({ side, stages }: Pick<EfficientVitConfig, 'side' | 'stages'>): readonly number[] {
  const sides: number[] = []
  for (const _ of stages) sides.push(Math.ceil((sides.at(-1) ?? (2 * side) / firstStride) / 2))
  return sides
}

/** Side of a stage's windows: no larger than its map. */
export function windowSide(config: Pick<EfficientVitConfig, 'side' | 'stages'>, stage: number): number {
  const [own, side] = [config.stages[stage], stageSides(config)[stage]]
  return Math.min(defined(own, 'a stage').window, defined(side, 'its side'))
}

/** `x + f(x)`, in a scope. */
function residual(name: string, x: Tensor, update: (x: Tensor) => Tensor): Tensor {
  return add(
    x,
    scope(name, () => update(x)),
  )
}

// Each residual branch starts as nothing, as the official batch norms of weight 0 make it.
const nothingAtFirst = { initialiser: zeros }

/** Depthwise 3×3, the neighbourhood of each place. */
function neighbourhood(name: string, x: Tensor): Tensor {
  const channels = channelsOf(x)
  return residual(name, x, (map) =>
    normedConvolution('m', map, { out: channels, kernel: 3, groups: channels, ...nothingAtFirst }),
  )
}

/** Two maps of each place, `m.pw1` and `m.pw2`. */
function feedForward(name: string, x: Tensor): Tensor {
  const channels = channelsOf(x)
  return residual(`${name}.m`, x, (map) =>
    normedConvolution('pw2', relu(normedConvolution('pw1', map, { out: 2 * channels })), {
      out: channels,
      ...nothingAtFirst,
    }),
  )
}

/**
 * Cascaded group attention in one window (§3.2): each head gets its part of the channels, and what the head before it found.
 * @param x `[windows, channels, side, side]`
 */
function cascadedGroupAttention(
  x: Tensor,
  { heads, keyWidth }: EfficientVitStage,
  { kernels, biases }: { kernels: readonly number[]; biases: Tensor },
): Tensor {
  const [windows, channels, { rows: side }] = [sizeAt(x, 0), channelsOf(x), placesOf(x)]
  const [width, places] = [channels / heads, side * side]
  const found: Tensor[] = []
  for (const [head, kernel] of kernels.slice(0, heads).entries()) {
    const own = slice(x, { axis: 1, start: head * width, end: (head + 1) * width })
    const before = found.at(-1)
    const qkv = normedConvolution(`qkvs.${head}`, before ? add(own, before) : own, {
      out: 2 * keyWidth + width,
    })
    const flat = (map: Tensor, count: number) => reshape(map, [windows, count, places])
    const queries = normedConvolution(`dws.${head}`, slice(qkv, { axis: 1, end: keyWidth }), {
      ...{ out: keyWidth, groups: keyWidth, kernel },
    })
    const q = flat(scaleShift(queries, { scale: keyWidth ** -0.5 }), keyWidth)
    const k = flat(slice(qkv, { axis: 1, start: keyWidth, end: 2 * keyWidth }), keyWidth)
    const v = flat(slice(qkv, { axis: 1, start: 2 * keyWidth }), width)
    const bias = slice(biases, { axis: 0, start: head, end: head + 1 })
    // [windows, queries, keys]
    const map = softmax(add(matmul(q, k, { transposeA: true }), bias))
    found.push(reshape(matmul(v, map, { transposeB: true }), [windows, width, side, side]))
  }
  return normedConvolution('proj.1', relu(concat(found, { axis: 1 })), { out: channels, ...nothingAtFirst })
}

/** A block (Fig. 4): attention between two sandwiches of neighbourhood and feed-forward. */
function block(x: Tensor, attend: (x: Tensor) => Tensor): Tensor {
  const before = feedForward('ffn0', neighbourhood('dw0', x))
  return feedForward('ffn1', neighbourhood('dw1', residual('mixer.m.attn', before, attend)))
}

/** A quarter of the hidden channels, in whole eights. */
function squeezedWidth(channels: number): number {
  return Math.floor((channels + 4) / 8) * 8
}

/** To half the resolution and the next width. */
function patchMerging(x: Tensor, out: number): Tensor {
  const channels = channelsOf(x)
  const hidden = 4 * channels
  const wide = relu(normedConvolution('conv1', x, { out: hidden }))
  const halved = relu(normedConvolution('conv2', wide, { out: hidden, kernel: 3, stride: 2, groups: hidden }))
  return normedConvolution('conv3', squeezeExcite('se', halved, { hidden: squeezedWidth(channels) }), { out })
}

/** A map on the way through the network, under the scope in which it was made. */
export interface NamedMap {
  readonly name: string
  /** `[batch, channels, rows, columns]` */
  readonly map: Tensor
}

/** Everything before the head, step by step. */
export function efficientVitMaps(pixels: Tensor, config: EfficientVitConfig): readonly NamedMap[] {
  const { stages, kernels } = config
  const maps: NamedMap[] = []
  const step = (name: string, x: Tensor, build: (x: Tensor) => Tensor): Tensor => {
    const map = scope(name, () => build(x))
    maps.push({ name, map })
    return map
  }
  const first = defined(stages[0], 'a first stage').width
  let x = step('patch_embed', pixels, (map) => {
    const conv = (number: number, from: Tensor, out: number) =>
      normedConvolution(`conv${number}`, from, { out: Math.floor(out), kernel: 3, stride: 2 })
    const halves = [8, 4, 2].reduce((from, part, i) => relu(conv(i + 1, from, first / part)), map)
    return conv(4, halves, first)
  })
  for (const [index, stage] of stages.entries()) {
    if (index > 0) {
      const down = `stages.${index}.downsample`
      x = step(`${down}.res1`, x, (map) => feedForward('1', neighbourhood('0', map)))
      x = step(`${down}.patchmerge`, x, (map) => patchMerging(map, stage.width))
      x = step(`${down}.res2`, x, (map) => feedForward('1', neighbourhood('0', map)))
    }
    const side = windowSide(config, index)
    const attend = (map: Tensor) => {
      const biases = attentionBiases({ heads: stage.heads, side })
      return inWindows(map, side, (windows) => cascadedGroupAttention(windows, stage, { kernels, biases }))
    }
    for (let at = 0; at < stage.depth; at++) {
      x = step(`stages.${index}.blocks.${at}`, x, (map) => block(map, attend))
    }
  }
  return maps
}

/** Class scores of the mean of the last map; both heads of a distilled model can be asked for too. */
function classifying(
  pooled: Tensor,
  { classes: out, distilled }: EfficientVitConfig,
): ModelDefinition['programs'] {
  const scores = (name: string) => scope(name, () => linear('linear', pooled, { out }))
  const ofLabels = scores('head')
  if (!distilled) return { classify: { logits: ofLabels }, head: { head_input: pooled } }
  const ofTeacher = scores('head_dist')
  return {
    classify: { logits: scaleShift(add(ofLabels, ofTeacher), { scale: 0.5 }) },
    head: { head_input: concat([pooled, pooled], { axis: 1 }) },
    heads: { class_logits: ofLabels, distillation_logits: ofTeacher },
  }
}

/** What the model can be asked for. @param map the last of {@link efficientVitMaps} */
export function efficientVitPrograms(map: Tensor, config: EfficientVitConfig): ModelDefinition['programs'] {
  return {
    ...(config.classes > 0 && classifying(spatialMean(map), config)),
    embed: { features: mapToTokens(map) },
  }
}

/** The pictures, normalised. `[batch, channels, side, side]` */
export function efficientVitPixels({ channels, side }: EfficientVitConfig): Tensor {
  return input(pixelsInput, [symbol('batch'), channels, side, side])
}

/** The model: patch embedding, stages, mean of the last map, head. */
export function efficientVit(config: EfficientVitConfig): ModelDefinition {
  const { map } = defined(efficientVitMaps(efficientVitPixels(config), config).at(-1), 'a map')
  return { programs: efficientVitPrograms(map, config), history: [], sizes: [] }
}
