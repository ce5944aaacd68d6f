import { add, gather, scaleShift } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import type { BlockHooks, TokenState } from '../models/block-loop.js'
import type { RouteEvent } from '../models/token-history.js'
import { type TokenWindows, wholeOf } from '../models/window-kinds.js'
import { layersOf, type SharedSelection } from './evo-vit-selections.js'
import { chooseInEach, inOrderOf, joinTokens, kindsInOrder, lookedAt, streamOf } from './in-windows.js'

interface WindowedEvolutionOptions {
  readonly windows: TokenWindows
  /** α of each block: how much its own attention counts beside that of earlier blocks. */
  readonly tradeoff: (block: number) => number
}

/** Leaves the tokens of the highest attention of each window in the stream; the others wait beside it, unchanged. */
function select(
  state: TokenState,
  { first, last, rate }: SharedSelection,
  windows: TokenWindows,
): TokenState {
  const { attention: before, ...aside } = state.aside ?? {}
  if (!before) throw new Error('blvit bug: a selection before anyone has looked')
  const { kinds, places, numbered } = streamOf(state, windows)
  const keeping = kinds.map((kind) => {
    const wanted = Math.floor(rate * wholeOf(kind, windows))
    return { kind, kept: Math.min(kind.count, Math.max(1, wanted)) }
  })
  const choices = chooseInEach(before, keeping)
  const chosen = joinTokens(choices.map((choice) => choice.chosen))
  const all = choices.some(({ rest }) => rest) ? joinTokens(choices.map(({ rest }) => rest)) : undefined
  const event: RouteEvent = {
    kind: 'route',
    layer: first,
    layers: layersOf({ first, last }),
    little: [],
    waiting: 'wait unchanged until blocks choose anew',
    chosen: Number(chosen.shape[1]),
    tensors: { scores: before, order: joinTokens([chosen, all]) },
  }
  return {
    ...state,
    tokens: gather(state.tokens, chosen),
    stream: {
      kinds: kindsInOrder(keeping.map(({ kind, kept }) => ({ kind, count: kept }))),
      places: gather(places, chosen),
      numbered,
    },
    aside: {
      ...aside,
      attention: gather(before, chosen),
      ...(all && {
        waiting: gather(state.tokens, all),
        waitingAttention: gather(before, all),
        waitingPlaces: gather(places, all),
      }),
    },
    history: [...state.history, event],
  }
}

/** All tokens in their grid again. */
function rejoin({ stream, ...state }: TokenState): TokenState {
  const { waiting, waitingAttention, waitingPlaces, attention, ...aside } = state.aside ?? {}
  if (!stream || !attention) throw new Error('blvit bug: nobody was chosen')
  const places = joinTokens([stream.places, waitingPlaces])
  return {
    ...state,
    tokens: inOrderOf(places, joinTokens([state.tokens, waiting])),
    aside: { ...aside, attention: inOrderOf(places, joinTokens([attention, waitingAttention])) },
  }
}

/** r ← (1 − α)·r + α·r′ */
function remembered(before: Tensor | undefined, own: Tensor, tradeoff: number): Tensor {
  if (!before || tradeoff === 1) return own
  return add(scaleShift(before, { scale: 1 - tradeoff }), scaleShift(own, { scale: tradeoff }))
}

/**
 * Slow-fast token evolution in windows (spec §6.4): a share of each window goes through the blocks, the others wait and come back.
 * There is no class token to ask: tokens are ranked by the attention that they receive, on average over heads and queries of the
 * window, or of the picture in a block that sees all of it, and what earlier blocks gave counts too.
 */
export function evolutionInWindows(
  selections: readonly SharedSelection[],
  { windows, tradeoff }: WindowedEvolutionOptions,
): BlockHooks {
  // nobody chooses by what the blocks after the last choice see
  const lastChoice = Math.max(0, ...selections.map(({ first }) => first))
  // while one block after the other forgets what was before, only the last one before a choice must look
  const counts = (block: number) =>
    block < lastChoice && (tradeoff(block + 1) < 1 || selections.some(({ first }) => first === block + 1))
  return {
    before: (state, layer) => {
      const selection = selections.find(({ first }) => first === layer - 1)
      return selection && scope('evo_vit', () => select(state, selection, windows))
    },
    attend: (view, state, block) => (counts(block.layer - 1) ? lookedAt(view, state, block) : undefined),
    between: (state, { layer, attention: view }) => {
      if (!counts(layer - 1)) return undefined
      return scope('evo_vit', () => {
        const attention = remembered(state.aside?.attention, view.received(), tradeoff(layer - 1))
        return { ...state, aside: { ...state.aside, attention } }
      })
    },
    after: (state, { layer }) =>
      selections.some(({ last }) => last === layer - 1) ? scope('evo_vit', () => rejoin(state)) : undefined,
  }
}
