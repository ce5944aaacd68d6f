import { defined } from '../base/assert.js'
import { plus } from '../graph/dim.js'
import { constantOf, type Initialiser, truncatedNormal, zeros } from '../graph/initialiser.js'
import {
  add,
  gelu,
  multiply,
  parameter,
  reshape,
  scaleShift,
  sizeInput,
  slice,
  stopGradient,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { type AttentionView, attention, type Meeting } from '../nn/attention.js'
import { layerNorm } from '../nn/layer-norm.js'
import { layerScale } from '../nn/layer-scale.js'
import { linear } from '../nn/linear.js'
import { dropPath } from '../nn/stochastic-depth.js'
import { blockAttention, blockMlp, plainBlock } from './block-loop.js'
import type { BlvitConfig, LittleConfig } from './blvit-config.js'
import { keptNames, layersOf } from './keep-schedule.js'
import type { BuildOptions, ModelDefinition } from './model-definition.js'
import { rankings } from './rankings.js'
import {
  type Budget,
  joinedStream,
  type Route,
  restoreOrder,
  type Stream,
  select,
  splitStream,
  unsplitStream,
} from './routing.js'
import type { RouteEvent } from './token-history.js'
import { finalNorm, pixelInput, programs, stem } from './vit.js'
import { mlpWidth, prefixCount } from './vit-config.js'

/** γ starts small: a converted model is nearly the ViT whose weights it took. */
const gammaStart = constantOf(1e-5)
/** α starts at 0: the score gates nothing until training finds a use for it. */
const alphaStart = constantOf(0)

/** What the P-block adds to the primary tokens and the E-block to all. */
interface Updates {
  readonly big: Tensor
  readonly little: Stream | null
}

/**
 * (α·s + 1)·p: the Mixture-of-Depths gate, the only path of a gradient to the predictor (spec §1). Nothing for patches that
 * only fill up.
 */
function gated(update: Tensor, half: 'attention' | 'mlp', route: Route): Tensor {
  const alpha = parameter(half === 'attention' ? 'alpha1' : 'alpha2', [1], alphaStart)
  const factor = scaleShift(multiply(route.gate, alpha), { shift: 1 })
  return dropPath(half, multiply(update, route.real ? multiply(factor, route.real) : factor))
}

/** γ of the primary tokens, and 1 of those that only fill up; undefined: 0. */
function littleShare(gamma: 'gamma1' | 'gamma2', route: Route, config: BlvitConfig): Tensor | undefined {
  const { real } = route
  const filling = real && scaleShift(real, { scale: -1, shift: 1 })
  if (config.gamma === 'zero') return filling
  const share = parameter(gamma, [config.gamma === 'channel' ? config.width : 1], gammaStart)
  return real && filling ? add(multiply(real, share), filling) : share
}

/** x + { p + γ·e where primary; e where secondary } */
function fuse(
  stream: Stream,
  { big, little }: Updates,
  gamma: 'gamma1' | 'gamma2',
  { route, config }: Pick<LayerInput, 'route' | 'config'>,
): Stream {
  const primary = add(stream.primary(), big)
  if (!little) return joinedStream(primary, stream.secondary())
  const secondary = add(stream.secondary(), little.secondary())
  const share = littleShare(gamma, route, config)
  return joinedStream(share ? add(primary, multiply(little.primary(), share)) : primary, secondary)
}

/** The attention of a P-block, which looks past keys that only fill up. */
interface BigAttention {
  readonly view: AttentionView
  readonly meeting: Meeting
}

/** P_proj(attention(q of the primary tokens, k and v of all)): semi-cross attention. */
function bigAttention(stream: Stream, route: Route, config: BlvitConfig): BigAttention {
  const keys = layerNorm('norm1', config.semiCross ? stream.all() : stream.primary(), {
    epsilon: config.layerNormEpsilon,
  })
  const primaryCount = sizeAt(stream.primary(), 1)
  const queries = config.semiCross ? splitStream(keys, primaryCount).primary() : keys
  const view = blockAttention({ queries, keys }, config)
  const real = config.semiCross ? undefined : route.real
  return { view, meeting: real ? { keyMask: reshape(real, real.shape.slice(0, 2)) } : {} }
}

/** How the maps that write an E-block's update start. */
function lastInitialiser({ initialisation }: LittleConfig): Initialiser {
  return initialisation === 'zero' ? zeros : truncatedNormal
}

/** Self-attention of all tokens inside the E-block's own small width. */
export function littleAttention(all: Tensor, little: LittleConfig, config: BlvitConfig): Tensor {
  const update = scope('little', () => {
    const normed = layerNorm('norm1', all, { epsilon: config.layerNormEpsilon })
    const { heads, width: innerWidth } = little
    const options = { heads, innerWidth, projInitialiser: lastInitialiser(little) }
    return attention('attn', { queries: normed, keys: normed }, options).output()
  })
  return dropPath('attention', update)
}

/** down: C→c, then the small MLP c→c, then up: c→C. */
export function littleMlp(
  all: Tensor,
  little: LittleConfig,
  config: Pick<BlvitConfig, 'width' | 'layerNormEpsilon'>,
): Tensor {
  const update = scope('little', () => {
    const normed = layerNorm('norm2', all, { epsilon: config.layerNormEpsilon })
    return scope('mlp', () => {
      const down = linear('down', normed, { out: little.width })
      const hidden = gelu(linear('fc1', down, { out: mlpWidth(little) }))
      const inner = linear('fc2', hidden, { out: little.width })
      return linear('up', inner, { out: config.width, initialiser: lastInitialiser(little) })
    })
  })
  return dropPath('mlp', update)
}

/** What a layer works on; `little` is null in a layer without an E-block. */
interface LayerInput {
  readonly stream: Stream
  readonly route: Route
  readonly little: LittleConfig | null
  readonly config: BlvitConfig
}

interface LayerOutput {
  readonly stream: Stream
  /** What the class token gives to each key of the P-block. `[batch, keys]` */
  readonly clsAttention: () => Tensor
}

/** A big.LITTLE layer: P and E meet after the attention half and again after the MLP half (spec §1). */
function fusedByHalf({ stream, route, little, config }: LayerInput): LayerOutput {
  const boundary = sizeAt(stream.primary(), 1)
  const attended = bigAttention(stream, route, config)
  const attentionUpdates = {
    big: gated(
      layerScale('ls1', attended.view.output(attended.meeting), config.layerScale),
      'attention',
      route,
    ),
    little: little?.attention ? splitStream(littleAttention(stream.all(), little, config), boundary) : null,
  }
  const middle = fuse(stream, attentionUpdates, 'gamma1', { route, config })
  const mlpUpdates = {
    big: gated(blockMlp(middle.primary(), config), 'mlp', route),
    little: little && splitStream(littleMlp(middle.all(), little, config), boundary),
  }
  return {
    stream: fuse(middle, mlpUpdates, 'gamma2', { route, config }),
    clsAttention: () => attended.view.clsRow(attended.meeting),
  }
}

/** The other order: P and E each run their whole block on the layer's input and meet once, by γ1. */
function fusedByBlock({ stream, route, little, config }: LayerInput): LayerOutput {
  const attended = bigAttention(stream, route, config)
  const bigFirst = gated(
    layerScale('ls1', attended.view.output(attended.meeting), config.layerScale),
    'attention',
    route,
  )
  const bigSecond = gated(blockMlp(add(stream.primary(), bigFirst), config), 'mlp', route)
  const updates = {
    big: add(bigFirst, bigSecond),
    little: little && splitStream(littleBlock(stream.all(), little, config), sizeAt(stream.primary(), 1)),
  }
  return {
    stream: fuse(stream, updates, 'gamma1', { route, config }),
    clsAttention: () => attended.view.clsRow(attended.meeting),
  }
}

/** What a whole E-block adds to its input. */
function littleBlock(all: Tensor, little: LittleConfig, config: BlvitConfig): Tensor {
  if (!little.attention) return littleMlp(all, little, config)
  const attended = littleAttention(all, little, config)
  return add(attended, littleMlp(add(all, attended), little, config))
}

const layerForms = { half: fusedByHalf, block: fusedByBlock } as const

/** How many patches a selection chooses. */
interface SelectionBudget {
  readonly budget: Budget
  /** The input that says it, where one does. */
  readonly sizes: readonly Tensor[]
}

/** The budgets of all selections, or the one that they share. */
function budgetsOf(config: BlvitConfig, { keepMass, sizes }: BuildOptions): readonly SelectionBudget[] {
  if (keepMass !== undefined) return [{ budget: { mass: keepMass }, sizes: [] }]
  return keptNames(config).map((name) => {
    const fixed = sizes?.[name]
    if (fixed !== undefined) return { budget: { kept: fixed }, sizes: [] }
    const { size, tensor } = sizeInput(name)
    return { budget: { kept: size }, sizes: [tensor] }
  })
}

/**
 * A big.LITTLE ViT.
 * @param options `sizes.kept`: the number of patches that the P-block processes. A number fixes it; absent, it is
 *   the graph's input `kept`, so that one graph serves every keep ratio; `kept.0`, `kept.1`, … where selections choose different
 *   numbers. `keepMass`: each picture decides it.
 */
export function blvit(config: BlvitConfig, options: BuildOptions = {}): ModelDefinition {
  const prefix = prefixCount(config)
  const budgets = budgetsOf(config, options)
  const history: RouteEvent[] = []
  let stream = unsplitStream(stem(pixelInput(config), config))
  let route: Route | undefined

  for (let layer = 1; layer <= config.depth; layer++) {
    const result = scope(`blocks.${layer - 1}`, (): LayerOutput => {
      if (layer <= config.fullLayers) {
        const came = { tokens: stream.all(), prefix, history: [] }
        const { state, attention } = plainBlock(came, layer, config)
        const after = route
          ? splitStream(state.tokens, plus(route.kept, prefix))
          : unsplitStream(state.tokens)
        return { stream: after, clsAttention: () => attention.clsRow() }
      }
      const little = config.little?.layers.includes(layer) ? config.little : null
      return layerForms[config.fuse]({ stream, route: defined(route, 'a selection'), little, config })
    })
    stream = result.stream

    const index = config.predictorAfter.indexOf(layer)
    if (index < 0) continue
    const patches = slice(stream.all(), { axis: 1, start: prefix })
    const ranks = rankings[config.selection]({
      ...{ index, prefix, clsAttention: result.clsAttention, last: route, predicting: config },
      patches: options.predictorsAlone ? stopGradient(patches) : patches,
    })
    const { budget } = defined(budgets[index] ?? budgets[0], 'a budget')
    const selected = scope(`selections.${index}`, () =>
      select(stream.all(), ranks, { prefix, budget, last: route }),
    )
    ;({ stream, route } = selected)
    const layers = layersOf(config, index)
    const { patchScores: scores, order, stays, kept: chosen } = route
    const little = layers.filter((routed) => config.little?.layers.includes(routed))
    const tensors = { scores, order, ...(stays && { stays }) }
    history.push({ kind: 'route', layer, layers, little, chosen, tensors })
  }

  const normed = finalNorm(stream.all(), config)
  return {
    programs: programs(normed, config, {
      features: restoreOrder(normed, defined(route, 'a selection'), { prefix }),
    }),
    history,
    sizes: budgets.flatMap(({ sizes }) => sizes),
  }
}
