import type { Dim } from '../graph/dim.js'
import type { Tensor } from '../graph/tensor.js'

/** Numbers of one picture, by the names of an event's tensors. */
export type EventValues = Readonly<Record<string, readonly number[]>>

interface EventBase {
  /** The layer in or after which it happens, counted from 1. */
  readonly layer: number
  /** What an engine must be asked for to tell what happened, one row a picture. */
  readonly tensors: Readonly<Record<string, Tensor>>
}

/** A model goes on with fewer tokens. */
export interface ReduceEvent extends EventBase {
  readonly kind: 'reduce'
  /** What tokens that become one are to each other: equals, or remainders that one token sums up. */
  readonly joining: 'merged' | 'fused'
  /**
   * Where the tokens of a picture went: for each token before (prefix tokens first), the index of the token after
   * that it is, or is part of; −1 if it is gone.
   */
  readonly assignment: (values: EventValues) => readonly number[]
}

/** Patches are chosen for the expensive path; all stay. */
export interface RouteEvent extends EventBase {
  readonly kind: 'route'
  /** The layers that it holds for, counted from 1. */
  readonly layers: readonly number[]
  /** How many patches are chosen. */
  readonly chosen: Dim
  readonly tensors: {
    /** Of every patch, in patch order. `[batch, patches]` */
    readonly scores: Tensor
    /** All patch indices, chosen ones first. int64 `[batch, patches]` */
    readonly order: Tensor
  }
}

/** Something that a model does to some tokens and not to others. */
export type TokenEvent = ReduceEvent | RouteEvent

/** The tensors of all events, under names that don't collide: `event0.scores`, `event0.order`, … */
export function eventOutputs(history: readonly TokenEvent[]): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    history.flatMap(({ tensors }, index) =>
      Object.entries(tensors).map(([name, tensor]) => [`event${index}.${name}`, tensor] as const),
    ),
  )
}

/** The numbers of one event of one picture, from the outputs of {@link eventOutputs}. */
export function eventValues(
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
