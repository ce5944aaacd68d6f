import { type Bindings, type Dim, evaluate } from '../graph/dim.js'
import type { Tensor } from '../graph/tensor.js'

/** Numbers of one picture, by the names of an event's tensors. */
export type EventValues = Readonly<Record<string, readonly number[]>>

interface EventBase {
  /** The layer in or after which it happens, counted from 1; 0: before the first. */
  readonly layer: number
  /** What an engine must be asked for to tell what happened, one row a picture. */
  readonly tensors: Readonly<Record<string, Tensor>>
}

/** A model goes on with fewer tokens. */
export interface ReduceEvent extends EventBase {
  readonly kind: 'reduce'
  /**
   * How many tokens there are afterwards, prefix included; where pictures decide, as many as the one of a batch that
   * keeps most, a size that only a run tells.
   */
  readonly tokensAfter: Dim
  /** Which of them sum up what was let go. Others that several tokens become are their average. Default: none. */
  readonly fused?: readonly number[] | undefined
  /**
   * Where the tokens of a picture went: for each token before (prefix tokens first), the index of the token after
   * that it is, or is part of; −1, or beyond the list's end, if it is gone. Every token after is made of some before, so
   * the list also tells how many of them the picture has.
   */
  readonly assignment: (values: EventValues) => readonly number[]
}

/** Patches are chosen for the expensive path; all stay. */
export interface RouteEvent extends EventBase {
  readonly kind: 'route'
  /** The layers that it holds for, counted from 1. */
  readonly layers: readonly number[]
  /** Those of them in which all patches go through a little block too; in the others they pass unchanged. */
  readonly little: readonly number[]
  /** What the others do in layers that have no other block for them: "wait unchanged". */
  readonly waiting?: string | undefined
  /** How many patches are chosen; where pictures decide, of the one of a batch that chooses most. */
  readonly chosen: Dim
  readonly tensors: {
    /** Of every patch, in patch order. `[batch, patches]` */
    readonly scores: Tensor
    /** All patch indices, chosen ones first. int64 `[batch, patches]` */
    readonly order: Tensor
    /** Where pictures choose different numbers: 1 for each of `order` that is chosen, else 0. `[batch, patches]` */
    readonly stays?: Tensor
  }
}

/** A layer decides for each picture which patches it works on, and perhaps what else it leaves out; all stay. */
export interface DecideEvent extends EventBase {
  readonly kind: 'decide'
  /** The layer that it is about, counted from 1. */
  readonly about: number
  readonly tensors: {
    /** Of every patch, in patch order. `[batch, patches]` */
    readonly scores: Tensor
    /** 1 for patches that the layer works on, else 0. `[batch, patches]` */
    readonly taken: Tensor
    readonly [other: string]: Tensor
  }
  /** What else was decided for a picture, in words; none: nothing was left out. */
  readonly words: (values: EventValues) => readonly string[]
}

/** Something that a model does to some tokens and not to others. */
export type TokenEvent = ReduceEvent | RouteEvent | DecideEvent

/** The tensors of all events, under names that don't collide: `event0.scores`, `event0.order`, … */
export function eventOutputs(history: readonly TokenEvent[]): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    history.flatMap(({ tensors }, index) =>
      Object.entries(tensors).map(([name, tensor]) => [`event${index}.${name}`, tensor] as const),
    ),
  )
}

/** The numbers of one event of one picture, from the outputs of {@link eventOutputs}. */
function eventValues(
  { tensors }: TokenEvent,
  index: number,
  numbersOf: (output: string) => readonly number[],
): EventValues {
  return Object.fromEntries(Object.keys(tensors).map((name) => [name, numbersOf(`event${index}.${name}`)]))
}

/** Where a model chooses patches for its expensive path. */
export function routesOf(history: readonly TokenEvent[]): readonly RouteEvent[] {
  return history.filter((event) => event.kind === 'route')
}

/** How things stand after an event. Tokens count from 0, the prefix left out; patches row by row. */
export interface HistoryStep {
  /** The layer in or after which it happened, counted from 1; 0: before the first. */
  readonly layer: number
  /** Tokens from here on, without the prefix. */
  readonly tokens: number
  /** For each patch the token that it is, or is part of; −1 if it is gone. */
  readonly patchToken: readonly number[]
  /** The tokens that sum up what was let go, one for each time that it was, as far as they are still there. */
  readonly fused: readonly number[]
  /** Of a choice of paths. */
  readonly route?:
    | {
        /** The layers that it holds for, counted from 1. */
        readonly layers: readonly number[]
        /** The chosen patches, ascending. */
        readonly chosen: readonly number[]
        /** Of every patch. */
        readonly scores: readonly number[]
        /** What else was decided, in words. */
        readonly decided?: readonly string[]
      }
    | undefined
}

/**
 * Follows every patch of a picture through a history.
 * @param numbersOf what the engine gave for an output of {@link eventOutputs}, the row of this picture
 * @param sizes values of the graph's run-time sizes
 */
export function followPatches(
  history: readonly TokenEvent[],
  numbersOf: (output: string) => readonly number[],
  { prefix, patches, sizes = {} }: { prefix: number; patches: number; sizes?: Bindings },
): readonly HistoryStep[] {
  let patchToken: readonly number[] = Array.from({ length: patches }, (_, patch) => patch)
  let tokens = patches
  let fused: readonly number[] = []
  return history.map((event, index): HistoryStep => {
    const values = eventValues(event, index, numbersOf)
    const { layer } = event
    if (event.kind === 'route') {
      const { order = [], scores = [], stays } = values
      const count = stays ? stays.filter((stay) => stay > 0).length : evaluate(event.chosen, sizes)
      const chosen = order.slice(0, count).sort((a, b) => a - b)
      return { layer, tokens, patchToken, fused, route: { layers: event.layers, chosen, scores } }
    }
    if (event.kind === 'decide') {
      const { scores = [], taken = [] } = values
      const chosen = taken.flatMap((is, patch) => (is > 0 ? [patch] : []))
      const route = { layers: [event.about], chosen, scores, decided: event.words(values) }
      return { layer, tokens, patchToken, fused, route }
    }
    const assignment = event.assignment(values)
    const moved = (token: number) => {
      const after = token < 0 ? -1 : (assignment[prefix + token] ?? -1)
      return after < 0 ? -1 : after - prefix
    }
    patchToken = patchToken.map(moved)
    tokens = new Set(assignment.filter((after) => after >= prefix)).size
    // one that is fused again becomes part of the new one
    const still = [...fused.map(moved), ...(event.fused ?? []).map((token) => token - prefix)]
    fused = [...new Set(still)].filter((token) => token >= 0)
    return { layer, tokens, patchToken, fused }
  })
}
