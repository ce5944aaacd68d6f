import { type Hash, hashOf, hashOfText } from './hash.js'

/** Gives the next of a stream of uniform numbers in [0, 1). */
export type Random = () => number

/**
 * xoshiro128** (Blackman and Vigna 2018, version 1.1) from a state of four words, not all 0.
 */
export function streamFrom([a, b, c, d]: Hash): Random {
  let [s0, s1, s2, s3] = [a, b, c, d]
  return () => {
    const product = Math.imul(s1, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9)
    const shifted = s1 << 9
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << 11) | (s3 >>> 21)
    return (result >>> 0) / 2 ** 32
  }
}

/**
 * Uniform numbers in [0, 1) that depend on the key alone, on every machine: a seed and, where one seed serves for more
 * than one thing, what they are for: a parameter's name, a step's number. Two keys give two streams that have nothing
 * in common: each begins where the key's hash says on a cycle of 2¹²⁸, so that even a thousand streams of a billion
 * numbers overlap with a chance of 10⁻²³.
 *
 * Not for secrets.
 * @example
 * const random = seededRandom(0, 'weights', 'blocks.3.attn.qkv.weight')
 */
export function seededRandom(seed: number, ...purpose: readonly (number | string)[]): Random {
  return streamFrom(hashOfText(JSON.stringify([seed, ...purpose])))
}

/** What tells pictures apart where they are fed to a model: their numbers, wherever they lie and in whatever order they come. */
export function pictureKey(pixels: Float32Array | Uint8Array): string {
  return hashOf(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength)).join('-')
}

/**
 * The numbers for a model's noise input, one picture's row of it. They depend on the seed, on the input's name and on
 * the picture alone: not on its neighbours in a batch, on the order of pictures or on the engine. Another picture gets
 * other noise, or the ablation "random" would measure one mask.
 * @param picture see {@link pictureKey}
 */
export function noiseFor(
  seed: number,
  { input, picture, length }: { input: string; picture: string; length: number },
): Float32Array {
  return Float32Array.from({ length }, seededRandom(seed, 'noise', input, picture))
}
