import { throwIfAborted } from '../base/blvit-error.js'
import { laterTurn } from '../base/turn.js'

/** A long computation that yields after each small part; whoever runs it decides whether others get a turn then. */
export type Steps<Result> = Generator<void, Result, void>

// Short beside the 16 ms of a screen's frame, long beside what a turn of the event loop costs.
const turnMs = 4

// 30 µs where the code is warm, 1 ms in the first calls of a process; much shorter steps would cost more than they do.
const multiplyAddsPerStep = 20_000

/** How many units of work make one step, if each takes so many multiply-adds or look-ups. At least 1. */
export function unitsPerStep(multiplyAdds: number): number {
  return Math.max(1, Math.floor(multiplyAddsPerStep / multiplyAdds))
}

/** Runs to the end without a pause. */
export function runAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/**
 * Runs a few milliseconds at a time, so that timers and servers aren't kept waiting.
 * @throws BlvitError `ABORTED`
 */
export async function runWithPauses<Result>(
  steps: Steps<Result>,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Result> {
  for (;;) {
    // before the first part too: pictures that were decoded meanwhile all arrive in one turn
    await ownTurn()
    throwIfAborted(signal)
    const start = performance.now()
    do {
      const step = steps.next()
      if (step.done) return step.value
    } while (performance.now() - start < turnMs)
  }
}

let lastTurn: Promise<void> = Promise.resolve()

/** Resolves in a turn of the event loop that nobody else got: steps of many pictures don't add up to one long turn. */
function ownTurn(): Promise<void> {
  lastTurn = lastTurn.then(laterTurn)
  return lastTurn
}
