import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { preparedBatches } from '../../src/base/ahead.js'

async function collect<T>(batches: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const batch of batches) all.push(batch)
  return all
}

describe('batches prepared ahead', () => {
  test('keep the order whichever item is ready first, and the last batch is shorter', async () => {
    const prepare = async (n: number) => {
      await wait(n % 2 === 0 ? 5 : 0)
      return 10 * n
    }
    expect(await collect(preparedBatches([1, 2, 3, 4, 5], prepare, { batch: 2 }))).toEqual([
      [10, 20],
      [30, 40],
      [50],
    ])
    expect(await collect(preparedBatches([], prepare, { batch: 2 }))).toEqual([])
  })

  test('no more than the wanted batches are begun ahead', async () => {
    let begun = 0
    const prepare = async () => {
      begun += 1
    }
    const batches = preparedBatches(Array(100).fill(0), prepare, { batch: 4, ahead: 2 })
    for (let taken = 1; taken <= 5; taken++) {
      await batches.next()
      await wait(5)
      expect(begun).toBeLessThanOrEqual(4 * (taken + 2))
      expect(begun).toBeGreaterThanOrEqual(4 * taken)
    }
    await batches.return(undefined)
  })

  test('an error of the source or of an item comes in its turn, and the source is closed', async () => {
    let closed = false
    async function* source() {
      try {
        yield 1
        yield 2
        yield 3
      } finally {
        closed = true
      }
    }
    const prepare = async (n: number) => {
      if (n === 2) throw new Error('two')
      return n
    }
    const batches = preparedBatches(source(), prepare, { batch: 1 })
    expect((await batches.next()).value).toEqual([1])
    await expect(batches.next()).rejects.toThrow('two')
    expect(closed).toBe(true)

    async function* broken() {
      yield 1
      throw new Error('broken')
    }
    const few = preparedBatches(broken(), async (n) => n, { batch: 1 })
    expect((await few.next()).value).toEqual([1])
    await expect(few.next()).rejects.toThrow('broken')
  })
})
