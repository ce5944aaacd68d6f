import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { slice } from '../../src/graph/ops/index.js'
import { argsort, gather, inverseOrder } from '../../src/graph/ops/order.js'
import { onBenches, sizes } from './bench.js'
import * as reference from './reference.js'

const tokenSizes = fc.record(sizes)

/** Scores of few distinct values, so that many are equal. */
const tied = fc
  .record({
    batch: sizes.batch,
    tokens: fc.integer({ min: 1, max: 40 }),
    levels: fc.integer({ min: 1, max: 4 }),
  })
  .chain((size) =>
    fc
      .array(fc.nat(size.levels - 1), {
        minLength: size.batch * size.tokens,
        maxLength: size.batch * size.tokens,
      })
      .map((values) => ({ ...size, scores: { shape: [size.batch, size.tokens], values } })),
  )

describe('native and standard lowerings agree with a stable sort', () => {
  test('of equal scores the token with the lower index comes first', () =>
    onBenches(
      tied,
      async (bench, { batch, tokens, scores }) => {
        const x = bench.input(
          'x',
          [
            ['batch', batch],
            ['tokens', tokens],
          ],
          scores,
        )
        const order = argsort(x.tensor)
        const numbers = reference.argsort(scores)
        await bench.expectNumbers({
          order: { tensor: order, numbers },
          inverse: { tensor: inverseOrder(order), numbers: reference.inverseOrder(numbers) },
        })
      },
      { runs: 60 },
    ))

  test('a whole picture of equal scores, as a model without training gives, keeps its order', async () => {
    const scores = reference.generate([2, 196], () => 1 / 196)
    await onBenches(
      fc.constant(scores),
      async (bench) => {
        const x = bench.input('x', [['batch', 2], 196], scores)
        const numbers = reference.generate([2, 196], ([, i = 0]) => i)
        await bench.expectNumbers({ order: { tensor: argsort(x.tensor), numbers } })
      },
      { runs: 1 },
    )
  })

  test('ordering and ordering back is the identity on tokens', () =>
    onBenches(tokenSizes, async (bench, { batch, tokens, width }) => {
      const scores = bench.input('scores', [
        ['batch', batch],
        ['tokens', tokens],
      ])
      const x = bench.input('x', [['batch', batch], ['tokens', tokens], width])
      const order = argsort(scores.tensor)
      const back = gather(gather(x.tensor, order), inverseOrder(order))
      await bench.expectNumbers({ back: { tensor: back, numbers: x.numbers } })
    }))

  test('gather picks from a matrix, from tokens and from rows, fewer than there are or the same twice', () =>
    onBenches(
      fc.tuple(tokenSizes, sizes.tokens, fc.nat()),
      async (bench, [{ batch, tokens, width }, picked, seed]) => {
        const chosen = reference.generate(
          [batch, picked],
          ([b = 0, i = 0]) => (seed + 7 * b + 3 * i) % tokens,
        )
        const indices = bench.indices(
          'indices',
          [
            ['batch', batch],
            ['picked', picked],
          ],
          chosen,
        )
        const matrix = bench.input('m', [
          ['batch', batch],
          ['tokens', tokens],
        ])
        const x = bench.input('x', [['batch', batch], ['tokens', tokens], width])
        const ofTokens = reference.gather(x.numbers, chosen)
        await bench.expectNumbers({
          matrix: {
            tensor: gather(matrix.tensor, indices.tensor),
            numbers: reference.gather(matrix.numbers, chosen),
          },
          tokens: { tensor: gather(x.tensor, indices.tensor), numbers: ofTokens },
          rows: { tensor: gather(bench.asRows(x).tensor, indices.tensor), numbers: ofTokens },
        })
      },
    ))

  test('the best k are the first k of the order, k fed at run time', () =>
    onBenches(fc.tuple(tokenSizes, fc.nat()), async (bench, [{ batch, tokens, width }, pick]) => {
      const keptNow = pick % (tokens + 1)
      const kept = bench.size('kept', keptNow)
      const scores = bench.input('scores', [['batch', batch], tokens])
      const x = bench.input('x', [['batch', batch], tokens, width])
      const best = slice(argsort(scores.tensor), { axis: 1, end: kept })
      const numbers = reference.slice(reference.argsort(scores.numbers), 1, 0, keptNow)
      expect(numbers.shape).toEqual([batch, keptNow])
      await bench.expectNumbers({
        best: { tensor: best, numbers },
        primary: { tensor: gather(x.tensor, best), numbers: reference.gather(x.numbers, numbers) },
      })
    }))
})
