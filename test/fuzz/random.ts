import { seededRandom } from '../../src/base/random.js'

/** Choices that depend on a seed alone. */
export interface Random {
  /** 0 … below − 1 */
  integer(below: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
}

/** The choices of one case: any case can be made again without those before it. */
export function randomOf({ seed, number }: { seed: number; number: number }): Random {
  const fraction = seededRandom(Math.imul(seed, 0x9e37_79b1) ^ number)
  const integer = (below: number) => Math.floor(fraction() * below)
  return {
    integer,
    chance: (probability) => fraction() < probability,
    pick: (items) => items[integer(items.length)] as (typeof items)[number],
  }
}
