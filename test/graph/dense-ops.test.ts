import fc from 'fast-check'
import { describe, test } from 'vitest'
import {
  add,
  attention,
  attentionMap,
  convolution,
  gelu,
  layerNorm,
  linear,
  mapToTokens,
  multiply,
  queryAttention,
  scaleShift,
  softmax,
} from '../../src/graph/ops/index.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { type Bench, type Known, onBenches, type Size, sizes } from './bench.js'
import * as reference from './reference.js'

const tokenSizes = fc.record(sizes)

type MapSizes = { batch: number; heads: number; queries: number; keys: number }

/** An op of one tensor, applied to it as it is and as flat rows. */
function inBothForms(
  bench: Bench,
  x: Known,
  op: (x: Tensor) => Tensor,
  numbers: reference.Numbers,
): Record<string, Known> {
  return {
    full: { tensor: op(x.tensor), numbers },
    rows: { tensor: op(bench.asRows(x).tensor), numbers },
  }
}

function tokens(
  bench: Bench,
  name: string,
  { batch, tokens: count, width }: { batch: number; tokens: number; width: number },
): Known {
  return bench.input(name, [['batch', batch], [`tokens of ${name}`, count], width])
}

describe('native and standard lowerings agree with float64 loops', () => {
  test('gelu is x·Φ(x) with the exact Φ', () =>
    onBenches(tokenSizes, async (bench, size) => {
      const x = tokens(bench, 'x', size)
      await bench.expectNumbers(inBothForms(bench, x, gelu, reference.gelu(x.numbers)))
    }))

  test('scaleShift is scale·x + shift, also where either does nothing', () => {
    const constants = fc.constantFrom(0, 1, -0.5, 3)
    return onBenches(fc.tuple(tokenSizes, constants, constants), async (bench, [size, scale, shift]) => {
      const x = tokens(bench, 'x', size)
      const numbers = reference.scaleShift(x.numbers, scale, shift)
      await bench.expectNumbers(inBothForms(bench, x, (y) => scaleShift(y, { scale, shift }), numbers))
    })
  })

  test('softmax runs over the last axis', () =>
    onBenches(tokenSizes, async (bench, size) => {
      const x = tokens(bench, 'x', size)
      await bench.expectNumbers(inBothForms(bench, x, softmax, reference.softmax(x.numbers)))
    }))

  test('layer norm takes the biased variance of each token', () =>
    onBenches(tokenSizes, async (bench, size) => {
      const x = tokens(bench, 'x', size)
      const [weight, bias] = [bench.parameter('w', [size.width]), bench.parameter('b', [size.width])]
      // large enough to count where a token's channels are nearly equal
      const epsilon = 1e-3
      const op = (y: Tensor) => layerNorm(y, weight.tensor, bias.tensor, { epsilon })
      const numbers = reference.layerNorm(x.numbers, weight.numbers, bias.numbers, epsilon)
      // x − mean cancels: a variance near ε magnifies float32's rounding by 1/√ε
      await bench.expectNumbers(inBothForms(bench, x, op, numbers), { rtol: 1e-4, atol: 1e-4 })
    }))

  test('linear is x·Wᵀ + b on tokens, on matrices and on a single vector', () =>
    onBenches(fc.tuple(tokenSizes, sizes.width), async (bench, [size, out]) => {
      const [weight, bias] = [bench.parameter('w', [out, size.width]), bench.parameter('b', [out])]
      const op = (y: Tensor) => linear(y, weight.tensor, bias.tensor)
      const numbers = (x: Known) => reference.linear(x.numbers, weight.numbers, bias.numbers)
      const x = tokens(bench, 'x', size)
      const matrix = bench.input('matrix', [['batch', size.batch], size.width])
      const vector = bench.input('vector', [size.width])
      await bench.expectNumbers({
        ...inBothForms(bench, x, op, numbers(x)),
        ofMatrix: { tensor: op(matrix.tensor), numbers: numbers(matrix) },
        ofVector: { tensor: op(vector.tensor), numbers: numbers(vector) },
      })
    }))

  test('attention mixes values by softmax(q·kᵀ/√headWidth), with fewer queries than keys too', () => {
    const heads = fc.integer({ min: 1, max: 3 })
    const headWidth = fc.integer({ min: 1, max: 5 })
    return onBenches(fc.tuple(tokenSizes, sizes.tokens, heads, headWidth), async (bench, drawn) => {
      const [{ batch, tokens: queries }, keyCount, headCount, headSize] = drawn
      const width = headCount * headSize
      const q = bench.input('q', [['batch', batch], ['queries', queries], width])
      const [k, v] = ['k', 'v'].map((name) =>
        bench.input(name, [['batch', batch], ['keys', keyCount], width]),
      )
      if (!k || !v) throw new Error('no keys, no values')
      const one = bench.input('one', [['batch', batch], 1, width])
      const numbers = reference.attention(q.numbers, k.numbers, v.numbers, headCount)
      const received = reference.queryAttention(one.numbers, k.numbers, headCount)
      const [qRows, kRows, vRows] = [q, k, v, one].map((x) => bench.asRows(x).tensor)
      if (!qRows || !kRows || !vRows) throw new Error('no rows')
      const options = { heads: headCount }
      await bench.expectNumbers({
        full: { tensor: attention(q.tensor, k.tensor, v.tensor, options), numbers },
        rows: { tensor: attention(qRows, kRows, vRows, options), numbers },
        mixed: { tensor: attention(qRows, k.tensor, vRows, options), numbers },
        received: { tensor: queryAttention(one.tensor, k.tensor, options), numbers: received },
        receivedByRows: {
          tensor: queryAttention(bench.asRows(one).tensor, kRows, options),
          numbers: received,
        },
      })
    })
  })

  test.each([
    ['each key', ({ batch, keys }: MapSizes) => [['batch', batch], 1, 1, ['keys', keys]]],
    [
      'each query and key',
      ({ batch, queries, keys }: MapSizes) => [['batch', batch], 1, ['queries', queries], ['keys', keys]],
    ],
    [
      'each head, query and key',
      ({ heads, queries, keys }: MapSizes) => [heads, ['queries', queries], ['keys', keys]],
    ],
    [
      'everything',
      ({ batch, heads, queries, keys }: MapSizes) => [
        ['batch', batch],
        heads,
        ['queries', queries],
        ['keys', keys],
      ],
    ],
  ] as [string, (sizes: MapSizes) => Size[]][])(
    'attention takes a bias for %s, and a scale',
    (_, shapeOf) => {
      const drawn = fc.record({
        batch: sizes.batch,
        heads: fc.integer({ min: 1, max: 3 }),
        queries: sizes.tokens,
        keys: sizes.tokens,
      })
      return onBenches(drawn, async (bench, size) => {
        const width = 2 * size.heads
        const q = bench.input('q', [['batch', size.batch], ['queries', size.queries], width])
        const k = bench.input('k', [['batch', size.batch], ['keys', size.keys], width])
        const v = bench.input('v', [['batch', size.batch], ['keys', size.keys], width])
        const bias = bench.input('bias', shapeOf(size))
        const options = { heads: size.heads, scale: 0.3, bias: bias.tensor }
        const map = reference.attentionMap(q.numbers, k.numbers, size.heads, {
          scale: 0.3,
          bias: bias.numbers,
        })
        await bench.expectNumbers({
          map: { tensor: attentionMap(q.tensor, k.tensor, options), numbers: map },
          output: {
            tensor: attention(q.tensor, k.tensor, v.tensor, options),
            numbers: reference.mixed(map, v.numbers),
          },
        })
      })
    },
  )

  test('convolution without padding drops what does not fill a stride; tokens run row by row', () => {
    const small = fc.integer({ min: 1, max: 3 })
    const drawn = fc.record({
      batch: sizes.batch,
      channels: small,
      out: small,
      kernelHeight: small,
      kernelWidth: small,
      spareHeight: fc.nat(5),
      spareWidth: fc.nat(5),
      stride: small,
    })
    return onBenches(drawn, async (bench, d) => {
      const [height, width] = [d.kernelHeight + d.spareHeight, d.kernelWidth + d.spareWidth]
      const x = bench.input('x', [['batch', d.batch], d.channels, height, width])
      const weight = bench.parameter('w', [d.out, d.channels, d.kernelHeight, d.kernelWidth])
      const bias = bench.parameter('b', [d.out])
      const map = convolution(x.tensor, weight.tensor, bias.tensor, { stride: d.stride })
      const numbers = reference.convolution(x.numbers, weight.numbers, bias.numbers, d.stride)
      await bench.expectNumbers({
        map: { tensor: map, numbers },
        tokens: { tensor: mapToTokens(map), numbers: reference.mapToTokens(numbers) },
      })
    })
  })

  test.each([
    ['add', add, (a: number, b: number) => a + b],
    ['multiply', multiply, (a: number, b: number) => a * b],
  ] as const)('%s broadcasts as numpy does, whichever operand is rows', (_, op, apply) =>
    onBenches(tokenSizes, async (bench, { batch, tokens: count, width }) => {
      const x = bench.input('x', [['batch', batch], ['tokens', count], width])
      const rows = bench.asRows(x)
      const others = {
        same: bench.input('same', [['batch', batch], ['tokens', count], width]),
        sameRows: bench.asRows(bench.input('same rows', [['batch', batch], ['tokens', count], width])),
        perChannel: bench.parameter('channel', [width]),
        perToken: bench.input('token', [['batch', batch], ['tokens', count], 1]),
        perPicture: bench.input('picture', [['batch', batch], 1, width]),
        positions: bench.input('positions', [1, ['tokens', count], width]),
        table: bench.input('table', [['tokens', count], width]),
        scalar: bench.parameter('scalar', [1]),
      }
      const outputs = Object.entries(others).flatMap(([name, other]) => {
        const numbers = reference.elementwise(x.numbers, other.numbers, apply)
        return [
          [`x·${name}`, { tensor: op(x.tensor, other.tensor), numbers }],
          [`rows·${name}`, { tensor: op(rows.tensor, other.tensor), numbers }],
          [`${name}·rows`, { tensor: op(other.tensor, rows.tensor), numbers }],
        ] as const
      })
      await bench.expectNumbers(Object.fromEntries(outputs))
    }),
  )
})
