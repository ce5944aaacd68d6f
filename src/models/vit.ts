import { type Dim, symbol } from '../graph/dim.js'
import { type Initialiser, truncatedNormal, zeros } from '../graph/initialiser.js'
import {
  add,
  concat,
  divide,
  divideBySize,
  expand,
  input,
  multiply,
  parameter,
  reduceSum,
  reshape,
  scaleShift,
  slice,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { layerNorm } from '../nn/layer-norm.js'
import { linear } from '../nn/linear.js'
import { patchEmbed } from '../nn/patch-embed.js'
import { blockLoop } from './block-loop.js'
import { type BuildOptions, type ModelDefinition, pixelsInput } from './model-definition.js'
import { patchCount, prefixCount, type VitConfig, type VitShape } from './vit-config.js'

/** The pictures, normalised. `[batch, channels, height, width]` */
export function pixelInput(config: VitShape): Tensor {
  const { channels, image } = config
  return input(pixelsInput, [symbol('batch'), channels, image.height, image.width])
}

/** Class token, distillation token and registers, those that the model has, in this order. */
function prefixTokens(batch: Dim, { width, classToken, distilled, registers }: VitShape): Tensor[] {
  const repeated = (name: string, count: number, initialiser: Initialiser) =>
    expand(parameter(name, [1, count, width], initialiser), [batch, count, width])
  return [
    ...(classToken ? [repeated('cls_token', 1, truncatedNormal)] : []),
    ...(distilled ? [repeated('dist_token', 1, zeros)] : []),
    ...(registers > 0 ? [repeated('reg_token', registers, truncatedNormal)] : []),
  ]
}

/** Prefix tokens and patches, with the position embedding on the patches and the first `embeddedPrefix` tokens. */
function positioned(prefix: readonly Tensor[], patches: Tensor, config: VitShape): Tensor {
  const { embeddedPrefix: embedded, width } = config
  const count = prefixCount(config)
  const join = (parts: readonly Tensor[]) => concat(parts, { axis: 1 })
  if (embedded === undefined) return join([...prefix, patches])
  const positions = parameter('pos_embed', [1, embedded + patchCount(config), width], truncatedNormal)
  if (embedded === count) return add(join([...prefix, patches]), positions)
  if (embedded === 0) return join([...prefix, add(patches, positions)])
  const tokens = join(prefix)
  const placed = add(join([slice(tokens, { axis: 1, end: embedded }), patches]), positions)
  return join([
    slice(placed, { axis: 1, end: embedded }),
    slice(tokens, { axis: 1, start: embedded }),
    slice(placed, { axis: 1, start: embedded }),
  ])
}

/** Patches, prefix tokens and position embedding. @returns `[batch, prefix + patches, width]` */
export function stem(pixels: Tensor, config: VitShape): Tensor {
  const { width, patchSize, patchBias: bias, layerNormEpsilon: epsilon } = config
  const patches = patchEmbed(pixels, { patchSize, width, bias })
  const tokens = positioned(prefixTokens(sizeAt(pixels, 0), config), patches, config)
  return config.preNorm ? layerNorm('norm_pre', tokens, { epsilon }) : tokens
}

/** The final norm where it stands on all tokens: what features are read from. @param x `[batch, tokens, width]` */
export function finalNorm(x: Tensor, config: VitShape): Tensor {
  return config.finalNorm === 'tokens' ? layerNorm('norm', x, { epsilon: config.layerNormEpsilon }) : x
}

/** One token of each picture. @param features `[batch, tokens, width]` @returns `[batch, width]` */
function tokenAt(index: number, features: Tensor): Tensor {
  const token = slice(features, { axis: 1, start: index, end: index + 1 })
  return reshape(token, [sizeAt(features, 0), sizeAt(features, 2)])
}

/** The mean of the patches; a token that stands for several counts as often. @returns `[batch, width]` */
function patchMean(features: Tensor, sizes: Tensor | undefined, config: VitShape): Tensor {
  const patches = slice(features, { axis: 1, start: prefixCount(config) })
  const shape = [sizeAt(features, 0), sizeAt(features, 2)]
  const sum = (x: Tensor) => reduceSum(x, { axes: [1] })
  if (!sizes) return divideBySize(reshape(sum(patches), shape), sizeAt(patches, 1))
  const counts = slice(sizes, { axis: 1, start: prefixCount(config) })
  const weights = reshape(counts, [sizeAt(counts, 0), sizeAt(counts, 1), 1])
  return divide(reshape(sum(multiply(patches, weights)), shape), sum(counts))
}

/**
 * What the head reads of a picture.
 * @param features after {@link finalNorm}, `[batch, tokens, width]`
 * @param sizes how many patches each token stands for, 0 for rows that are none, `[batch, tokens]`; default: each for itself
 * @returns `[batch, width]`; class token and mean side by side: `[batch, 2·width]`
 */
function pooled(features: Tensor, config: VitShape, sizes?: Tensor): Tensor {
  const { pooling, layerNormEpsilon: epsilon } = config
  const parts = [
    ...(pooling === 'mean' ? [] : [tokenAt(0, features)]),
    ...(pooling === 'token' ? [] : [patchMean(features, sizes, config)]),
  ]
  const read = concat(parts, { axis: 1 })
  return config.finalNorm === 'pooled' ? layerNorm('fc_norm', read, { epsilon }) : read
}

/**
 * Class scores: of the head, or the mean of both heads, which then can be asked for too.
 * @param features and `sizes` as for {@link pooled}
 */
function classifying(features: Tensor, config: VitShape, sizes?: Tensor): ModelDefinition['programs'] {
  const { classes: out, distilledHead } = config
  const ofClassToken = linear('head', pooled(features, config, sizes), { out })
  const head = { head_input: headInput(features, config, sizes) }
  if (!distilledHead) return { classify: { logits: ofClassToken }, head }
  const ofDistillationToken = linear('head_dist', tokenAt(1, features), { out })
  return {
    classify: { logits: scaleShift(add(ofClassToken, ofDistillationToken), { scale: 0.5 }) },
    head,
    heads: { class_logits: ofClassToken, distillation_logits: ofDistillationToken },
  }
}

/**
 * What all heads of a picture read, side by side: their answer is one linear map of it.
 * @returns `[batch, width]`, or `[batch, 2·width]` where there are two heads or a head reads two vectors
 */
function headInput(features: Tensor, config: VitShape, sizes?: Tensor): Tensor {
  const read = pooled(features, config, sizes)
  return config.distilledHead ? concat([read, tokenAt(1, features)], { axis: 1 }) : read
}

/** What a model of these features can be asked for: classes unless it is a backbone, and the features themselves. */
export function programs(
  tokens: Tensor,
  config: VitShape,
  { features, sizes }: { features: Tensor; sizes?: Tensor | undefined },
): ModelDefinition['programs'] {
  return {
    ...(config.classes > 0 && classifying(tokens, config, sizes)),
    embed: { features, ...(sizes && { token_sizes: sizes }), ...projected(tokens, config, sizes) },
  }
}

/** CLIP's image embedding, of models that have one. `[batch, projection]` */
function projected(tokens: Tensor, config: VitShape, sizes: Tensor | undefined): { embedding?: Tensor } {
  const { projection: out } = config
  if (out === undefined) return {}
  return { embedding: linear('visual_projection', pooled(tokens, config, sizes), { out, bias: false }) }
}

/**
 * A plain ViT on tokens that a stem made: `depth` equal blocks, norm, head (DeiT's evaluation form if distilled).
 * @param stemTokens `[batch, prefix + patches, width]`
 */
export function onTokens(stemTokens: Tensor, config: VitShape, { hooks }: BuildOptions): ModelDefinition {
  const { tokens, size, mask, history, training } = blockLoop(stemTokens, config, hooks)
  const features = finalNorm(tokens, config)
  return {
    programs: programs(features, config, { features, sizes: size ?? mask }),
    history,
    sizes: [],
    training,
  }
}

/** A plain ViT, its stem a cut into patches. */
export function vit(config: VitConfig, options: BuildOptions = {}): ModelDefinition {
  return onTokens(stem(pixelInput(config), config), config, options)
}
