/** What is to be done at the abort of a signal: one listener for all, because Node warns of more than ten. */
const listening = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `listener` once when a signal aborts.
 * @returns what ends that
 */
export function whenAborted(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (!signal) return () => {}
  let all = listening.get(signal)
  if (!all) {
    const listeners = new Set<() => void>()
    signal.addEventListener('abort', () => {
      for (const one of listeners) one()
    })
    listening.set(signal, listeners)
    all = listeners
  }
  all.add(listener)
  return () => all.delete(listener)
}
