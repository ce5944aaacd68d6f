import {
  add,
  argsort,
  concat,
  divide,
  gather,
  inverseOrder,
  matmul,
  reduceSum,
  reshape,
  scaleShift,
  slice,
  subtract,
} from '../graph/ops/index.js'
import { atScope, scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { BlockHooks, TokenState } from '../models/block-loop.js'
import { withOwnTraining } from '../models/own-training.js'
import type { ReduceEvent, RouteEvent } from '../models/token-history.js'
import { layerNorm } from '../nn/layer-norm.js'
import { linear, widthOf } from '../nn/linear.js'
import { evolutionInWindows } from './evo-vit-in-windows.js'
import {
  type EvoVitValues,
  layersOf,
  parameters,
  refused,
  type Selection,
  selectionsOf,
  sharesOf,
  tradeoffOf,
} from './evo-vit-selections.js'
import { candidatesOf, prefixOf } from './keep-best.js'
import { keepRateSteps } from './parameters.js'
import type { ReducedModel, Reduction } from './reduction.js'

/** Of all norms in the official code. */
const usualEpsilon = 1e-6

export interface EvolutionOptions {
  readonly depth: number
  /** α of each block: how much its own attention counts beside that of earlier blocks. */
  readonly tradeoff: (block: number) => number
  /** Whether one more token stands for those that wait, and they take its updates. */
  readonly representative: boolean
  /** Whether those that wait after the last block are let go for good. */
  readonly pruned: boolean
  /** A second head, which the class token learns by; undefined: none. */
  readonly classHead?: { readonly classes: number; readonly epsilon: number } | undefined
}

function patchesOf({ tokens, prefix }: TokenState, count = candidatesOf({ tokens, prefix })): Tensor {
  return slice(tokens, { axis: 1, start: prefix, end: prefix + count })
}

function lastToken({ tokens, prefix }: TokenState): Tensor {
  const before = prefix + candidatesOf({ tokens, prefix }) - 1
  return slice(tokens, { axis: 1, start: before })
}

/** Σ (gᵢ / Σ g)·xᵢ of the patches that wait (equation 6). @returns `[batch, 1, width]` */
function representativeOf(waiting: Tensor, attention: Tensor): Tensor {
  const weights = divide(attention, reduceSum(attention, { axes: [1] }))
  return matmul(reshape(weights, [sizeAt(weights, 0), 1, sizeAt(weights, 1)]), waiting)
}

/**
 * Sorts all patches by the class token's attention, g, and leaves the K best in the stream; the others wait beside it,
 * unchanged. The order stays: no layer cares about it.
 */
function select(state: TokenState, selection: Selection, { representative }: EvolutionOptions): TokenState {
  const { first, kept } = selection
  const { attention: before, places } = state.aside ?? {}
  if (!before) throw new Error('blvit bug: a selection before anyone has looked')
  const order = argsort(before)
  const sorted = gather(patchesOf(state), order)
  const attention = gather(before, order)
  // which patch stands where
  const patches = places ? gather(places, order) : order
  const event: RouteEvent = {
    kind: 'route',
    layer: first,
    layers: layersOf(selection),
    little: [],
    waiting: representative
      ? 'wait, and take the updates of one token that stands for all of them'
      : 'wait unchanged until blocks choose anew',
    chosen: kept,
    tensors: { scores: gather(attention, inverseOrder(patches)), order: patches },
  }
  const history = [...state.history, event]
  const chosen = [...prefixOf(state.tokens, state.prefix), slice(sorted, { axis: 1, end: kept })]
  const aside = { ...state.aside, attention, places: patches, order }
  if (kept === candidatesOf(state)) return { ...state, tokens: concat(chosen, { axis: 1 }), history, aside }
  const waiting = slice(sorted, { axis: 1, start: kept })
  if (!representative)
    return { ...state, tokens: concat(chosen, { axis: 1 }), history, aside: { ...aside, waiting } }
  const standIn = representativeOf(waiting, slice(attention, { axis: 1, start: kept }))
  const tokens = concat([...chosen, standIn], { axis: 1 })
  return { ...state, tokens, history, aside: { ...aside, waiting, standIn } }
}

/** What is left of the stream without its stand-in, and those that wait with the updates that this had. */
function withoutStandIn(state: TokenState): TokenState {
  const { waiting, standIn, ...aside } = state.aside ?? {}
  if (!waiting || !standIn) return state
  const update = subtract(lastToken(state), standIn)
  const end = state.prefix + candidatesOf(state) - 1
  const tokens = slice(state.tokens, { axis: 1, end })
  return { ...state, tokens, aside: { ...aside, waiting: add(waiting, update) } }
}

/** The whole stream again. */
function rejoin(state: TokenState): TokenState {
  const { waiting, ...aside } = state.aside ?? {}
  return waiting ? { ...state, tokens: concat([state.tokens, waiting], { axis: 1 }), aside } : state
}

/** g ← (1 − α)·g + α·s for the patches in the stream; those that wait keep theirs (equation 5). */
function remembered(before: Tensor | undefined, own: Tensor, tradeoff: number): Tensor {
  if (!before) return own
  const count = Number(sizeAt(own, 1))
  const now = slice(before, { axis: 1, end: count })
  const mixed =
    tradeoff === 1 ? own : add(scaleShift(now, { scale: 1 - tradeoff }), scaleShift(own, { scale: tradeoff }))
  if (count === sizeAt(before, 1)) return mixed
  return concat([mixed, slice(before, { axis: 1, start: count })], { axis: 1 })
}

/** Patches in the order of the picture again. */
function ordered(state: TokenState): TokenState {
  const { places } = state.aside ?? {}
  if (!places) return state
  const patches = gather(patchesOf(state), inverseOrder(places))
  return { ...state, tokens: concat([...prefixOf(state.tokens, state.prefix), patches], { axis: 1 }) }
}

/** Those that wait at the end are gone. */
function dropped(state: TokenState, depth: number): TokenState {
  const { waiting: _, ...aside } = state.aside ?? {}
  const { places } = aside
  if (!places) return state
  const { prefix } = state
  const kept = candidatesOf(state)
  const event: ReduceEvent = {
    kind: 'reduce',
    layer: depth,
    tokensAfter: prefix + kept,
    tensors: { places },
    assignment: ({ places = [] }) => {
      const after = Array.from({ length: prefix + places.length }, (_, token) =>
        token < prefix ? token : -1,
      )
      for (let place = 0; place < kept; place++) after[prefix + (places[place] ?? 0)] = prefix + place
      return after
    },
  }
  return { ...state, aside, history: [...state.history, event] }
}

/** The class token's own answer, which only training asks for. */
function classAnswer(
  { tokens }: TokenState,
  { classes, epsilon }: { classes: number; epsilon: number },
): Tensor {
  return atScope('', () => {
    const first = slice(tokens, { axis: 1, end: 1 })
    const token = reshape(first, [sizeAt(tokens, 0), widthOf(tokens)])
    return linear('head_cls', layerNorm('norm_cls', token, { epsilon }), { out: classes })
  })
}

/**
 * Slow-fast token evolution (Xu et al. 2022): of the patches that the class token has looked at less, no block computes
 * anything; they wait and come back.
 * @param selections in the order of their blocks, each patch chosen anew
 */
export function slowFastEvolution(selections: readonly Selection[], options: EvolutionOptions): BlockHooks {
  const { depth, tradeoff, representative, pruned, classHead } = options
  const inside = (block: number) => selections.find(({ first, last }) => first <= block && block <= last)
  const hooks: BlockHooks = {
    before: (state, layer) => {
      const selection = selections.find(({ first }) => first === layer - 1)
      return selection && scope('evo_vit', () => select(state, selection, options))
    },
    between: (state, { layer, attention: view }) =>
      scope('evo_vit', () => {
        const count = inside(layer - 1)?.kept ?? candidatesOf(state)
        const row = slice(view.clsRow(), { axis: 1, start: state.prefix, end: state.prefix + count })
        // the sum over the heads in the official code, the mean where it has a representative
        const own = representative ? row : scaleShift(row, { scale: view.heads })
        const attention = remembered(state.aside?.attention, own, tradeoff(layer - 1))
        return { ...state, aside: { ...state.aside, attention } }
      }),
    after: (state, { layer }) => {
      if (inside(layer - 1)?.last !== layer - 1) return undefined
      return scope('evo_vit', () => {
        const alone = withoutStandIn(state)
        return pruned && layer === depth ? dropped(alone, depth) : rejoin(alone)
      })
    },
    // a pruned stream has lost its order: the history knows which patch is which
    pool: (state) => (pruned ? undefined : scope('evo_vit', () => ordered(state))),
  }
  if (!classHead) return hooks
  return {
    ...hooks,
    training: {
      ...hooks,
      pool: (state) => {
        const training = withOwnTraining(state.training, { answers: [classAnswer(state, classHead)] })
        const pooled = hooks.pool?.(state) ?? state
        return { ...pooled, training }
      },
    },
  }
}

/** What there is only where a class token looks at all patches. @throws BlvitError `BAD_OPTION` */
function assertNothingOfClassToken(values: EvoVitValues): void {
  const given = (['representative', 'prune-cls', 'class-head'] as const).find((name) => values[name])
  if (given === undefined) return
  throw refused(
    `evo-vit has no ${given} where tokens look around in windows: all come back, and no class token stands for them. Leave it out.`,
  )
}

function assertClassHead(
  values: EvoVitValues,
  { classes }: ReducedModel,
  made: EvoVitValues | undefined,
): void {
  if (!values['class-head']) return
  if (made?.['class-head'] && classes > 0) return
  throw refused(
    'evo-vit shall teach the class token by a head of its own (class-head=true), and this model has none ' +
      '(head_cls, norm_cls). Make it one: blvit convert <model> --set reduction=evo-vit:0.5,class-head=true; to run one it takes no such head.',
  )
}

export const evoVit: Reduction<typeof parameters> = {
  name: 'evo-vit',
  about:
    'computes the blocks on the patches that the class token attends to most, while the others wait and come back',
  training: 'better',
  needs: { classToken: 'chooses the patches that the class token looks at' },
  paper: 'Xu et al., "Evo-ViT: Slow-Fast Token Evolution for Dynamic Vision Transformer", AAAI 2022',
  example: 'evo-vit:0.5',
  main: 'keep',
  steps: ({ patches }) => keepRateSteps.filter((rate) => Math.floor(patches * Number(rate)) >= 1),
  parameters,
  parametersAbout: {
    keep: 'share of all patches that the blocks work on, rounded down',
    mode: 'whether patches are chosen for all blocks up to the next choice, or in each block anew',
    blocks:
      'the blocks that choose; if not given those after a third and two thirds, 4/8 of 12, and with mode=layer all from the third on',
    tradeoff:
      'how much the attention of a block counts beside that of earlier ones; one number holds from the first choice on',
    representative: 'whether the others take the updates of one more token, their mean weighted by attention',
    'prune-cls':
      'whether those that wait after the last block are gone, where a head reads the mean of the patches',
    'class-head': 'whether the class token learns by a head of its own; it is no part of a run',
  },
  inWindows: (model, values) => {
    assertNothingOfClassToken(values)
    const shares = sharesOf(model, values)
    const { depth, windows } = model
    return evolutionInWindows(shares, {
      windows,
      tradeoff: tradeoffOf(values, depth, shares[0]?.first ?? depth),
    })
  },
  hooks: (model, values, made) => {
    assertClassHead(values, model, made)
    const selections = selectionsOf(model, values)
    const { classes, depth } = model
    return slowFastEvolution(selections, {
      depth,
      tradeoff: tradeoffOf(values, depth, selections[0]?.first ?? depth),
      representative: values.representative,
      pruned: values['prune-cls'],
      classHead: values['class-head'] ? { classes, epsilon: usualEpsilon } : undefined,
    })
  },
}
