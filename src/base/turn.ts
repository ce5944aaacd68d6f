/**
 * Resolves in a later turn of the event loop, so that timers, messages and servers get theirs; as soon as possible,
 * unlike timers, which browsers hold back to 4 ms.
 */
export function laterTurn(): Promise<void> {
  if ('setImmediate' in globalThis) return new Promise((resolve) => setImmediate(resolve))
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}
