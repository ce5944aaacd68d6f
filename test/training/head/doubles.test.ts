import { describe, expect, test } from 'vitest'
import { drawNormal } from '../../../src/base/distributions.js'
import { seededRandom } from '../../../src/base/random.js'
import { findDoubles, groupsOf } from '../../../src/training/head/doubles.js'

const inputs = 48
const count = 400

/** Vectors that have nothing to do with each other, but for some that are another with noise. */
function vectors(copies: ReadonlyMap<number, number>, noise: number) {
  const random = seededRandom(3)
  const values = Float32Array.from({ length: count * inputs }, () => drawNormal(random))
  for (const [copy, of] of copies)
    for (let i = 0; i < inputs; i++)
      values[copy * inputs + i] = (values[of * inputs + i] ?? 0) + noise * drawNormal(random)
  return { count, inputs, values, labels: Array.from({ length: count }, () => [0]) }
}

describe('doubles', () => {
  // a cosine of 1 ÷ √(1 + noise²): 0.95
  const copies = new Map(Array.from({ length: 40 }, (_, i) => [200 + i, i] as const))

  test('are found, and nothing else is', async () => {
    const pairs = await findDoubles(vectors(copies, 0.33))
    expect(pairs.map(({ first, second }) => [first, second])).toEqual(
      Array.from({ length: 40 }, (_, i) => [i, 200 + i]),
    )
    for (const { cosine } of pairs) expect(cosine).toBeGreaterThan(0.85)
  })

  test('of doubles make one group', async () => {
    const chain = new Map([
      [10, 5],
      [20, 5],
    ])
    const data = vectors(chain, 0.1)
    const hashes = data.labels.map((_, row) => `${row}`)
    const groups = groupsOf(await findDoubles(data), hashes, data.labels)
    expect([groups[5], groups[10], groups[20]]).toEqual([5, 5, 5])
    expect(new Set(groups).size).toBe(count - 2)
  })

  test('are no class of look-alikes: only the same content stays together there', () => {
    const pairs = [
      { first: 0, second: 1, cosine: 0.9 },
      { first: 1, second: 2, cosine: 0.9 },
    ]
    const labels = [[0], [0], [0], [0], [1], [1]]
    expect([...groupsOf(pairs, ['a', 'b', 'c', 'd', 'e', 'e'], labels)]).toEqual([0, 1, 2, 3, 4, 4])
  })

  test('are not looked for any more once it is aborted', async () => {
    const search = findDoubles(vectors(copies, 0.3), { signal: AbortSignal.abort() })
    await expect(search).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
