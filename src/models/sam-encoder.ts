import { defined } from '../base/assert.js'
import { symbol } from '../graph/dim.js'
import { truncatedNormal } from '../graph/initialiser.js'
import { add, input, parameter, reshape } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { tokensToMap } from '../nn/convolution.js'
import { patchEmbed } from '../nn/patch-embed.js'
import { type Neighbourhood, windowedAttention } from '../nn/windowed-attention.js'
import { windowPlan } from '../nn/windows.js'
import { type BlockHooks, type BlockParts, blockLoop, plainBlock, type TokenState } from './block-loop.js'
import { layerRange } from './blvit-config.js'
import { neck } from './masks/neck.js'
import { pixelsInput } from './model-definition.js'
import { type SamConfig, type SamRouting, samGrid, samWindows } from './sam-config.js'
import { chooseInWindows, routedLayer, routeEvent, type WindowRoute } from './sam-routing.js'
import type { RouteEvent } from './token-history.js'
import { usualSwitches, type VitShape } from './vit-config.js'
import { streamAttention } from './window-stream.js'

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
    attention: (normed, { stream }, layer) => {
      const options = { heads, qkvBias, neighbourhood: neighbourhoodOf(layer, config) }
      if (stream) return streamAttention(normed, stream, options)
      return windowedAttention('attn', normed, { ...options, countsPadding: true })
    },
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

/** The layers of a big.LITTLE encoder: some of SAM's own, then P- and E-blocks. */
function routedLoop(stem: Tensor, config: SamConfig, routing: SamRouting): LoopResult {
  const shape = encoderShape(config)
  const parts = samBlockParts(config)
  const { depth } = config.encoder
  const { keepRatio } = routing
  const layers: RoutedStep[] = []
  const routes: WindowRoute[] = []
  const history: RouteEvent[] = []
  let tokens = stem
  for (let layer = 1; layer <= depth; layer++) {
    const step = scope(`blocks.${layer - 1}`, (): RoutedStep => {
      if (layer <= routing.fullLayers) {
        return {
          tokens: plainBlock({ tokens, prefix: 0, history: [] }, layer, shape, { parts }).state.tokens,
        }
      }
      const little = routing.little.layers.includes(layer) ? routing.little : undefined
      const route = defined(routes.at(-1), 'a choice of tokens')
      return routedLayer(tokens, {
        route,
        neighbourhood: neighbourhoodOf(layer, config),
        little,
        shape,
        parts,
      })
    })
    tokens = step.tokens
    layers.push(step)
    if (!routing.predictorAfter.includes(layer)) continue
    const route = chooseInWindows(tokens, routes.length, { windows: samWindows(config), keepRatio })
    const next = routing.predictorAfter.find((other) => other > layer) ?? depth
    const used = layerRange(Math.max(layer, routing.fullLayers) + 1, next)
    history.push(
      routeEvent(route, {
        layer,
        layers: used,
        little: used.filter((each) => routing.little.layers.includes(each)),
      }),
    )
    routes.push(route)
  }
  return { state: { tokens, prefix: 0, history }, layers, routes }
}

/** A layer of a big.LITTLE encoder. `[batch, tokens, width]` */
interface RoutedStep {
  /** After its attention half; of SAM's own blocks nobody asks. */
  readonly middle?: Tensor
  readonly tokens: Tensor
}

interface LoopResult {
  readonly state: TokenState
  /** Of a big.LITTLE encoder, layer by layer and choice by choice. */
  readonly layers: readonly RoutedStep[]
  readonly routes: readonly WindowRoute[]
}

/** An embedding, and what it was made of. */
export interface Encoded extends LoopResult {
  /** `[batch, width, rows, columns]` */
  readonly embedding: Tensor
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
    const stem = samStem(pixels, config)
    const loop: LoopResult = config.routing
      ? routedLoop(stem, config, config.routing)
      : { state: blockLoop(stem, encoderShape(config), hooks, samBlockParts(config)), layers: [], routes: [] }
    const steps = neck(tokensToMap(loop.state.tokens, samGrid(config)), config)
    return { ...loop, embedding: defined(steps.at(-1), 'an embedding'), neck: steps }
  })
}
