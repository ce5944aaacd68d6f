/**
 * Uniform numbers in [0, 1) that depend on the seed alone, on every machine: the 32-bit mulberry generator
 * (public domain, Tommy Ettinger). Good enough for weights and ablations, not for secrets.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A seed that depends on each of some whole numbers, so that e.g. every step draws its own random numbers. */
export function mixedSeed(seed: number, ...parts: readonly number[]): number {
  let mixed = seed ^ 0x9e37_79b9
  for (const part of parts) {
    mixed = Math.imul(mixed ^ part, 0x85eb_ca6b)
    mixed ^= mixed >>> 13
  }
  return mixed >>> 0
}
