import { expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import type { DataItem } from '../../src/data/data-set.js'
import { shuffled } from '../../src/data/shuffle.js'

async function* items(count: number, sizeBytes?: number): AsyncGenerator<DataItem> {
  for (let i = 0; i < count; i++) {
    yield { name: `${i}`, source: sizeBytes === undefined ? `${i}.jpg` : new Uint8Array(sizeBytes) }
  }
}

async function orderOf(stream: AsyncIterable<DataItem>): Promise<number[]> {
  const order: number[] = []
  for await (const { name } of stream) order.push(Number(name))
  return order
}

const inOrder = Array.from({ length: 300 }, (_, i) => i)

test('every item comes once, in another order for each seed, the same for the same', async () => {
  const order = await orderOf(shuffled(items(300), seededRandom(1)))
  expect(order.toSorted((a, b) => a - b)).toEqual(inOrder)
  expect(order).not.toEqual(inOrder)
  expect(await orderOf(shuffled(items(300), seededRandom(1)))).toEqual(order)
  expect(await orderOf(shuffled(items(300), seededRandom(2)))).not.toEqual(order)
})

test('paths are mixed from end to end', async () => {
  const order = await orderOf(shuffled(items(300), seededRandom(1)))
  const firstHalf = order.slice(0, 150).filter((name) => name >= 150).length
  expect(firstHalf).toBeGreaterThan(50)
})

test('pictures in memory are held only as far as the buffer goes', async () => {
  let read = 0
  const counted = async function* () {
    for await (const item of items(300, 9_500)) {
      read += 1
      yield item
    }
  }
  // ten thousand bytes an item with its name: twenty fit
  let given = 0
  for await (const _ of shuffled(counted(), seededRandom(1), { bufferBytes: 200_000 })) {
    given += 1
    expect(read - given).toBeLessThanOrEqual(20)
  }
  expect(given).toBe(300)
})

test('nothing stays nothing', async () => {
  expect(await orderOf(shuffled(items(0), seededRandom(1)))).toEqual([])
})
