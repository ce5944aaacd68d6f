import { symbol } from '../graph/dim.js'
import { truncatedNormal, zeros } from '../graph/initialiser.js'
import { add, concat, expand, input, parameter, reshape, scaleShift, slice } from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { layerNorm } from '../nn/layer-norm.js'
import { linear } from '../nn/linear.js'
import { patchEmbed } from '../nn/patch-embed.js'
import { blockLoop, type VitShape } from './block-loop.js'
import type { BuildOptions, ModelDefinition } from './model-definition.js'
import { patchCount, prefixCount, type VitConfig } from './vit-config.js'

export type { VitShape }

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
export function vit(config: VitConfig, { hooks }: BuildOptions = {}): ModelDefinition {
  const { tokens, size, history } = blockLoop(stem(pixelInput(config), config), config, hooks)
  const features = finalNorm(tokens, config)
  return {
    programs: {
      classify: { logits: classify(features, config) },
      embed: { features, ...(size && { token_sizes: size }) },
    },
    history,
    sizes: [],
  }
}
