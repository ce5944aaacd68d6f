import { symbol } from '../graph/dim.js'
import { truncatedNormal, zeros } from '../graph/initialiser.js'
import { add, concat, expand, input, parameter, reshape, scaleShift, slice } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { attention } from '../nn/attention.js'
import { layerNorm } from '../nn/layer-norm.js'
import { linear } from '../nn/linear.js'
import { mlp } from '../nn/mlp.js'
import { patchEmbed } from '../nn/patch-embed.js'
import { dropPath } from '../nn/stochastic-depth.js'
import type { ModelDefinition } from './model-definition.js'
import { mlpWidth, patchCount, prefixCount, type VitConfig } from './vit-config.js'

/** What every family that stands on the plain ViT shares with it. */
export type VitShape = Omit<VitConfig, 'family'>

/** The pictures, normalised. `[batch, channels, height, width]` */
export function pixelInput(config: VitShape): Tensor {
  const { channels, image } = config
  return input('pixel_values', [symbol('batch'), channels, image.height, image.width])
}

/** Patches, prefix tokens and position embedding. @returns `[batch, prefix + patches, width]` */
export function stem(pixels: Tensor, config: VitShape): Tensor {
  const { width, patchSize, distilled } = config
  const patches = patchEmbed(pixels, { patchSize, width })
  const prefix = (distilled ? ['cls_token', 'dist_token'] : ['cls_token']).map((name) =>
    expand(parameter(name, [1, 1, width], name === 'cls_token' ? truncatedNormal : zeros), [
      sizeAt(pixels, 0),
      1,
      width,
    ]),
  )
  const tokens = patchCount(config) + prefixCount(config)
  return add(
    concat([...prefix, patches], { axis: 1 }),
    parameter('pos_embed', [1, tokens, width], truncatedNormal),
  )
}

/** A plain block and what lies inside, all but the class token's attention `[batch, tokens, width]`. */
export interface VitBlock {
  /** What the attention half adds to the block's input. */
  readonly attentionUpdate: Tensor
  /** The tokens between both halves. */
  readonly middle: Tensor
  /** What the MLP half adds to `middle`. */
  readonly mlpUpdate: Tensor
  readonly output: Tensor
  readonly clsAttention: () => Tensor
}

/** Both halves of a plain pre-norm block on all tokens. @param x `[batch, tokens, width]` */
export function vitBlock(x: Tensor, config: VitShape): VitBlock {
  const epsilon = config.layerNormEpsilon
  const normed = layerNorm('norm1', x, { epsilon })
  const attended = attention('attn', { queries: normed, keys: normed }, { heads: config.heads })
  const attentionUpdate = dropPath('attention', attended.output)
  const middle = add(x, attentionUpdate)
  const hidden = mlpWidth(config)
  const mlpUpdate = dropPath('mlp', mlp('mlp', layerNorm('norm2', middle, { epsilon }), { hidden }))
  return {
    attentionUpdate,
    middle,
    mlpUpdate,
    output: add(middle, mlpUpdate),
    clsAttention: attended.clsAttention,
  }
}

/** The final norm: what features are read from. @param x `[batch, tokens, width]` */
export function finalNorm(x: Tensor, config: VitShape): Tensor {
  return layerNorm('norm', x, { epsilon: config.layerNormEpsilon })
}

/** Class scores of each prefix token by its own head, as training sees them. Each `[batch, classes]`. */
export interface HeadLogits {
  readonly classLogits: Tensor
  /** Of a distilled DeiT. */
  readonly distillationLogits: Tensor | undefined
}

/** What the heads say of the prefix tokens after the final norm. @param features `[batch, tokens, width]` */
export function heads(features: Tensor, config: VitShape): HeadLogits {
  const token = (index: number) =>
    reshape(slice(features, { axis: 1, start: index, end: index + 1 }), [sizeAt(features, 0), config.width])
  return {
    classLogits: linear('head', token(0), { out: config.classes }),
    distillationLogits: config.distilled ? linear('head_dist', token(1), { out: config.classes }) : undefined,
  }
}

/** Class scores: of the head, or the mean of both heads. @returns `[batch, classes]` */
export function classify(features: Tensor, config: VitShape): Tensor {
  const { classLogits, distillationLogits } = heads(features, config)
  return distillationLogits ? scaleShift(add(classLogits, distillationLogits), { scale: 0.5 }) : classLogits
}

/** A plain ViT: stem, `depth` equal blocks, norm, head (DeiT's evaluation form if distilled). */
export function vit(config: VitConfig): ModelDefinition {
  let x = stem(pixelInput(config), config)
  for (let layer = 0; layer < config.depth; layer++) {
    x = scope(`blocks.${layer}`, () => vitBlock(x, config).output)
  }
  const features = finalNorm(x, config)
  return {
    programs: { classify: { logits: classify(features, config) }, embed: { features } },
    selections: [],
    sizes: [],
  }
}
