import { defined } from '../base/assert.js'
import { symbol } from '../graph/dim.js'
import { truncatedNormal } from '../graph/initialiser.js'
import { add, input, parameter, reshape } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { convolution, tokensToMap } from '../nn/convolution.js'
import { layerNorm2d } from '../nn/layer-norm.js'
import { patchEmbed } from '../nn/patch-embed.js'
import { type Neighbourhood, windowedAttention } from '../nn/windowed-attention.js'
import { windowPlan } from '../nn/windows.js'
import { type BlockHooks, type BlockParts, blockLoop, type TokenState } from './block-loop.js'
import { pixelsInput } from './model-definition.js'
import { mapEpsilon, type SamConfig, samGrid } from './sam-config.js'
import { usualSwitches, type VitShape } from './vit-config.js'

/** The encoder's blocks as a plain ViT's. */
function encoderShape(config: SamConfig): VitShape {
  const { side, patchSize, encoder } = config
  const { width, depth, heads, mlpWidth, qkvBias, layerNormEpsilon } = encoder
  return {
    ...usualSwitches({ distilled: false }),
    ...{ classToken: false, embeddedPrefix: 0, finalNorm: 'none', pooling: 'mean', distilled: false },
    ...{ image: { height: side, width: side }, patchSize, channels: 3, classes: 0 },
    ...{ width, depth, heads, mlpRatio: mlpWidth / width, qkvBias, layerNormEpsilon },
  }
}

/** Where the tokens of a block see each other. @param layer counted from 1 */
export function neighbourhoodOf(layer: number, config: SamConfig): Neighbourhood {
  const grid = samGrid(config)
  const { window, globalBlocks } = config.encoder
  if (globalBlocks.includes(layer - 1)) return { grid, plan: undefined, learnedFor: grid }
  return { grid, plan: windowPlan(grid, window), learnedFor: { rows: window, columns: window } }
}

/** How SAM's blocks differ from a plain ViT's. */
function samBlockParts(config: SamConfig): BlockParts {
  const { heads, qkvBias } = config.encoder
  return {
    attention: (normed, _state, layer) =>
      windowedAttention('attn', normed, {
        ...{ heads, qkvBias, neighbourhood: neighbourhoodOf(layer, config), countsPadding: true },
      }),
    mlpNames: ['lin1', 'lin2'],
  }
}

/** The pictures in their frame, normalised. `[batch, 3, side, side]` */
export function samPixels({ side }: SamConfig): Tensor {
  return input(pixelsInput, [symbol('batch'), 3, side, side])
}

/** Patches with their positions. @returns `[batch, patches, width]`, row by row */
function samStem(pixels: Tensor, config: SamConfig): Tensor {
  const { patchSize, encoder } = config
  const { rows, columns } = samGrid(config)
  const positions = parameter('pos_embed', [1, rows, columns, encoder.width], truncatedNormal)
  return add(
    patchEmbed(pixels, { patchSize, width: encoder.width }),
    reshape(positions, [1, rows * columns, encoder.width]),
  )
}

/** The map of what the blocks found at the width of an embedding, step by step. @returns `[batch, width, rows, columns]` */
function samNeck(map: Tensor, { width }: Pick<SamConfig, 'width'>): readonly Tensor[] {
  const norm = { epsilon: mapEpsilon }
  const narrow = convolution('neck.0', map, { out: width, bias: false })
  const normed = layerNorm2d('neck.1', narrow, norm)
  const mixed = convolution('neck.2', normed, { out: width, kernel: 3, bias: false })
  return [narrow, normed, mixed, layerNorm2d('neck.3', mixed, norm)]
}

/** An embedding, and what it was made of. */
export interface Encoded {
  /** `[batch, width, rows, columns]` */
  readonly embedding: Tensor
  readonly state: TokenState
  /** The neck, step by step; the last is the embedding. */
  readonly neck: readonly Tensor[]
}

/** SAM's image encoder. */
export function samEncoder(
  pixels: Tensor,
  config: SamConfig,
  { hooks = {} }: { hooks?: BlockHooks | undefined } = {},
): Encoded {
  return scope('image_encoder', () => {
    const state = blockLoop(samStem(pixels, config), encoderShape(config), hooks, samBlockParts(config))
    const neck = samNeck(tokensToMap(state.tokens, samGrid(config)), config)
    return { embedding: defined(neck.at(-1), 'an embedding'), state, neck }
  })
}
