import { expect, test } from 'vitest'
import { MemoryPool } from '../../src/runtime/memory-pool.js'

test('memory is used again for the same size, and never by two at once', () => {
  const pool = new MemoryPool(2)
  const first = pool.take(100_000)
  const second = pool.take(100_000)
  expect(second).not.toBe(first)
  pool.give(first)
  expect(pool.take(200_000)).not.toBe(first)
  expect(pool.take(100_000)).toBe(first)
  expect(pool.take(100_000)).not.toBe(first)
})

test('no more than so much memory waits to be used again', () => {
  const pool = new MemoryPool(2)
  const given = [1, 2, 3].map(() => pool.take(100_000))
  for (const memory of given) pool.give(memory)
  const taken = [1, 2, 3].map(() => pool.take(100_000))
  expect(taken.filter((memory) => given.includes(memory))).toHaveLength(2)
})
