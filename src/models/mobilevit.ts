import { defined } from '../base/assert.js'
import { symbol } from '../graph/dim.js'
import { add, concat, input, mapToTokens, silu } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { attention } from '../nn/attention.js'
import { type ConvolutionOptions, channelsOf, convolution, normedConvolution } from '../nn/convolution.js'
import { layerNorm } from '../nn/layer-norm.js'
import { linear } from '../nn/linear.js'
import { mlp } from '../nn/mlp.js'
import { acrossPatches, type PatchSides } from '../nn/patch-groups.js'
import { spatialMean } from '../nn/pooling.js'
import { type ModelDefinition, pixelsInput } from './model-definition.js'

/** The transformer of a MobileViT block. */
export interface MobileVitTransformer {
  /** Channels of a token. */
  readonly width: number
  readonly depth: number
  readonly heads: number
  /** Hidden width of the MLP. */
  readonly mlpWidth: number
  readonly patch: PatchSides
}

/** Blocks at one resolution. */
export interface MobileVitStage {
  /** Channels. */
  readonly width: number
  /** Inverted residual blocks, of which the first has the stride. */
  readonly depth: number
  readonly stride: number
  /** Hidden channels of an inverted residual ÷ its inputs. */
  readonly expansion: number
  /** Of the MobileViT block after them; undefined: there is none. */
  readonly transformer: MobileVitTransformer | undefined
}

/** MobileViT (Mehta and Rastegari 2022, "Light-weight, general-purpose, and mobile-friendly vision transformer"). */
export interface MobileVitConfig {
  /** Pixels. */
  readonly image: { readonly height: number; readonly width: number }
  /** Colour channels: 3, or 1 for grey. */
  readonly channels: number
  /** Channels of the first convolution, which has stride 2. */
  readonly stemWidth: number
  readonly stages: readonly MobileVitStage[]
  /** Channels of the map that the head reads. */
  readonly finalWidth: number
  /** 0: a backbone without a head. */
  readonly classes: number
}

const layerNormEpsilon = 1e-5

/** How often the stem and the stages halve a picture, as a factor. */
export function totalStride({ stages }: Pick<MobileVitConfig, 'stages'>): number {
  return stages.reduce((product, { stride }) => product * stride, 2)
}

/** Rows and columns of the last map; what a stride doesn't fill counts. */
export function lastMap({ image, stages }: Pick<MobileVitConfig, 'image' | 'stages'>): {
  rows: number
  columns: number
} {
  const side = (pixels: number) =>
    stages.reduce((size, { stride }) => Math.ceil(size / stride), Math.ceil(pixels / 2))
  return { rows: side(image.height), columns: side(image.width) }
}

/** A convolution with its norm, and SiLU. */
function activated(name: string, x: Tensor, options: ConvolutionOptions): Tensor {
  return silu(normedConvolution(name, x, options))
}

/** In whole eights, and no less than nine tenths of what was asked for. */
function hiddenWidth(width: number): number {
  const eights = Math.max(8, Math.floor((width + 4) / 8) * 8)
  return eights < 0.9 * width ? eights + 8 : eights
}

/** An inverted residual block of MobileNetV2 (Sandler et al. 2018): wide inside, and nothing but a sum after it. */
function invertedResidual(
  x: Tensor,
  { out, stride, expansion }: { out: number; stride: number; expansion: number },
) {
  const hidden = hiddenWidth(Math.round(channelsOf(x) * expansion))
  const wide = expansion === 1 ? x : activated('conv1_1x1', x, { out: hidden })
  const near = activated('conv2_kxk', wide, { out: hidden, kernel: 3, stride, groups: hidden })
  const narrow = normedConvolution('conv3_1x1', near, { out })
  return stride === 1 && channelsOf(x) === out ? add(x, narrow) : narrow
}

/** A plain pre-norm layer. @param x `[groups, patches, width]` */
function transformerLayer(x: Tensor, { heads, mlpWidth: hidden }: MobileVitTransformer): Tensor {
  const epsilon = layerNormEpsilon
  const normed = layerNorm('norm1', x, { epsilon })
  const seen = add(x, attention('attn', { queries: normed, keys: normed }, { heads }).output())
  return add(seen, mlp('mlp', layerNorm('norm2', seen, { epsilon }), { hidden, activation: 'silu' }))
}

/** A MobileViT block (Fig. 1b): near places by convolutions, far ones by a transformer across patches. */
function mobileVitBlock(x: Tensor, transformer: MobileVitTransformer): Tensor {
  const width = channelsOf(x)
  const near = activated('conv_kxk', x, { out: width, kernel: 3 })
  const tokens = convolution('conv_1x1', near, { out: transformer.width, bias: false })
  const far = acrossPatches(tokens, transformer.patch, (groups) => {
    let sequence = groups
    for (let layer = 0; layer < transformer.depth; layer++) {
      sequence = scope(`transformer.${layer}`, () => transformerLayer(sequence, transformer))
    }
    return layerNorm('norm', sequence, { epsilon: layerNormEpsilon })
  })
  const back = activated('conv_proj', far, { out: width })
  return activated('conv_fusion', concat([x, back], { axis: 1 }), { out: width, kernel: 3 })
}

/** The pictures. `[batch, channels, height, width]` */
export function mobileVitPixels({ channels, image }: MobileVitConfig): Tensor {
  return input(pixelsInput, [symbol('batch'), channels, image.height, image.width])
}

/** The maps after the stem, after each stage and before the head. */
export function mobileVitMaps(pixels: Tensor, config: MobileVitConfig): readonly Tensor[] {
  const maps = [activated('stem', pixels, { out: config.stemWidth, kernel: 3, stride: 2 })]
  for (const [index, { width: out, depth, stride, expansion, transformer }] of config.stages.entries()) {
    let x = defined(maps.at(-1), 'a map')
    for (let at = 0; at < depth; at++) {
      const form = { out, stride: at === 0 ? stride : 1, expansion }
      x = scope(`stages.${index}.${at}`, () => invertedResidual(x, form))
    }
    maps.push(transformer ? scope(`stages.${index}.${depth}`, () => mobileVitBlock(x, transformer)) : x)
  }
  return [...maps, activated('final_conv', defined(maps.at(-1), 'a map'), { out: config.finalWidth })]
}

/** What the model can be asked for. @param map the last of {@link mobileVitMaps} */
export function mobileVitPrograms(
  map: Tensor,
  { classes: out }: MobileVitConfig,
): ModelDefinition['programs'] {
  const features = { embed: { features: mapToTokens(map) } }
  if (out === 0) return features
  const pooled = spatialMean(map)
  const logits = scope('head', () => linear('fc', pooled, { out }))
  return { classify: { logits }, head: { head_input: pooled }, ...features }
}

/** The model: stem, stages, a last map of more channels, whose mean the head reads. */
export function mobileVit(config: MobileVitConfig): ModelDefinition {
  const map = defined(mobileVitMaps(mobileVitPixels(config), config).at(-1), 'a map')
  return { programs: mobileVitPrograms(map, config), history: [], sizes: [] }
}
