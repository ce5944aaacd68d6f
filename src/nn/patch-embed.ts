import { truncatedNormal, zeros } from '../graph/initialiser.js'
import { constant, convolution, mapToTokens, parameter } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'

/**
 * Cuts pictures into patches and maps each to a token; parameters `patch_embed.proj`.
 * @param pixels `[batch, channels, height, width]` @returns `[batch, patches, width]`, row by row
 */
export function patchEmbed(
  pixels: Tensor,
  { patchSize, width, bias: hasBias = true }: { patchSize: number; width: number; bias?: boolean },
): Tensor {
  return scope('patch_embed', () => {
    const map = scope('proj', () => {
      const channels = sizeAt(pixels, 1)
      if (typeof channels !== 'number') throw new Error('blvit bug: symbolic channels')
      const weight = parameter('weight', [width, channels, patchSize, patchSize], truncatedNormal)
      const bias = hasBias ? parameter('bias', [width], zeros) : constant(0, [width])
      return convolution(pixels, weight, bias, { stride: patchSize })
    })
    return mapToTokens(map)
  })
}
