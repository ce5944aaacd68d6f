// Distributions, drawn from a stream of uniform numbers in [0, 1): the same stream gives the same numbers.

import type { Random } from './random.js'

export function drawBetween(least: number, most: number, random: Random): number {
  return least + (most - least) * random()
}

/** A whole number from 0 to `count − 1`. */
export function drawBelow(count: number, random: Random): number {
  return Math.floor(random() * count)
}

/** Mean 0, standard deviation 1. */
export function drawNormal(random: Random): number {
  // Box–Muller; 1 − u keeps the logarithm's argument above 0
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Beta(α, α), in 0 … 1: the share of the first of two gamma variates. */
export function drawBeta(alpha: number, random: Random): number {
  const first = drawLogGamma(alpha, random)
  const second = drawLogGamma(alpha, random)
  // small α makes variates below the smallest float, but not their logarithms
  return 1 / (1 + Math.exp(second - first))
}

/** The logarithm of a gamma variate, after Marsaglia and Tsang, "A simple method for generating gamma variables" (2000). */
function drawLogGamma(shape: number, random: Random): number {
  // their section 6: for shapes below 1, draw with one more and multiply by u^(1/shape)
  if (shape < 1) return drawLogGamma(shape + 1, random) + Math.log(1 - random()) / shape
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = drawNormal(random)
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v)
  }
}
