import { defined } from './assert.js'
import type { Random } from './random.js'

/** Takes one of some items, which aren't kept in their order. */
export function takeRandom<Item>(held: Item[], random: Random): Item {
  const index = Math.floor(random() * held.length)
  const taken = defined(held[index], 'an item to take')
  const last = defined(held.pop(), 'a last item')
  if (index < held.length) held[index] = last
  return taken
}
