import { truncatedNormal } from '../graph/initialiser.js'
import { add, concat, expand, fixedParameter, parameter, unfold } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { tokensToMap } from '../nn/convolution.js'
import { linear } from '../nn/linear.js'
import type { BuildOptions, ModelDefinition } from './model-definition.js'
import { cuts, type T2tConfig } from './t2t-config.js'
import { tokenModules } from './token-modules/index.js'
import { onTokens, pixelInput } from './vit.js'
import { gridOf, patchCount } from './vit-config.js'

/**
 * Tokens to tokens (Yuan et al. 2021, §3.1): the picture is cut into windows that overlap, a token module lets them look
 * at each other, and its tokens are the pixels of the map that is cut next; after the third cut a linear map makes
 * patches of the windows. @param pixels `[batch, channels, height, width]` @returns `[batch, patches, width]`
 */
export function tokensToTokens(pixels: Tensor, config: T2tConfig): Tensor {
  const { tokenModule, tokenWidth: width, layerNormEpsilon } = config
  const [first, ...others] = cuts
  return scope('tokens_to_token', () => {
    let side = first.stride
    let windows = unfold(pixels, first)
    others.forEach((cut, i) => {
      const { rows, columns } = gridOf({ image: config.image, patchSize: side })
      const looked = scope(`attention${i + 1}`, () =>
        tokenModules[tokenModule](windows, { width, layerNormEpsilon }),
      )
      windows = unfold(tokensToMap(looked, { rows, columns }), cut)
      side *= cut.stride
    })
    return linear('project', windows, { out: config.width })
  })
}

/** Patches behind the class token, with fixed positions. @returns `[batch, 1 + patches, width]` */
function stem(pixels: Tensor, config: T2tConfig): Tensor {
  const { width } = config
  const patches = tokensToTokens(pixels, config)
  const classToken = expand(parameter('cls_token', [1, 1, width], truncatedNormal), [
    sizeAt(pixels, 0),
    1,
    width,
  ])
  const positions = fixedParameter('pos_embed', [1, 1 + patchCount(config), width], { kind: 'sinusoid' })
  return add(concat([classToken, patches], { axis: 1 }), positions)
}

/** A T2T-ViT: after its stem a plain ViT, whose blocks all methods can take hold of. */
export function t2tVit(config: T2tConfig, options: BuildOptions = {}): ModelDefinition {
  return onTokens(stem(pixelInput(config), config), config, options)
}
