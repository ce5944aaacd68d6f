import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Dim,
  elements,
  evaluate,
  formatDim,
  formatShape,
  isPositive,
  minus,
  plus,
  sameDim,
  sameShape,
  substitute,
  symbol,
  times,
} from '../../src/graph/dim.js'

const names = ['batch', 'kept', 'tokens'] as const

/** Polynomials of a few terms, built as models build them. */
const dims: fc.Arbitrary<Dim> = fc
  .array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.array(fc.constantFrom(...names), { maxLength: 3 })), {
    maxLength: 4,
  })
  .map((terms) =>
    terms.map(([factor, symbols]) => symbols.map(symbol).reduce<Dim>(times, factor)).reduce<Dim>(plus, 0),
  )

const bindings = fc.record({ batch: fc.nat(20), kept: fc.nat(20), tokens: fc.nat(20) })

/** Asserts that two ways of computing a size give the same one, also in print. */
function expectSame(a: Dim, b: Dim): void {
  expect(sameDim(a, b), `${a} and ${b}`).toBe(true)
  expect(formatDim(a)).toBe(formatDim(b))
}

describe('sizes form a commutative ring', () => {
  test('sums and products commute and associate, products distribute over sums', () => {
    fc.assert(
      fc.property(dims, dims, dims, (a, b, c) => {
        expectSame(plus(a, b), plus(b, a))
        expectSame(times(a, b), times(b, a))
        expectSame(plus(plus(a, b), c), plus(a, plus(b, c)))
        expectSame(times(times(a, b), c), times(a, times(b, c)))
        expectSame(times(a, plus(b, c)), plus(times(a, b), times(a, c)))
      }),
    )
  })

  test('0 and 1 are neutral, and every size has its negative', () => {
    fc.assert(
      fc.property(dims, (a) => {
        expectSame(plus(a, 0), a)
        expectSame(times(a, 1), a)
        expect(times(a, 0)).toBeCloseTo(0, 20)
        expect(minus(a, a)).toBe(0)
      }),
    )
  })

  test('computing first and filling in later gives the same number', () => {
    fc.assert(
      fc.property(dims, dims, bindings, (a, b, values) => {
        expect(evaluate(plus(a, b), values)).toBe(evaluate(a, values) + evaluate(b, values))
        // + 0: −0 and 0 are the same size
        expect(evaluate(times(a, b), values) + 0).toBe(evaluate(a, values) * evaluate(b, values) + 0)
      }),
    )
  })

  test('sizes are the same exactly if they print the same', () => {
    fc.assert(
      fc.property(dims, dims, (a, b) => {
        expect(formatDim(a) === formatDim(b)).toBe(sameDim(a, b))
      }),
    )
  })

  test('a size that is called positive is never 0 or less', () => {
    fc.assert(
      fc.property(dims, bindings, (a, values) => {
        fc.pre(isPositive(a))
        expect(evaluate(a, values)).toBeGreaterThan(0)
      }),
    )
    expect([plus(symbol('kept'), 1), symbol('kept'), minus(197, symbol('kept')), 0].map(isPositive)).toEqual([
      true,
      false,
      false,
      false,
    ])
  })
})

test('sizes print as the papers write them', () => {
  const [batch, kept] = [symbol('batch'), symbol('kept')]
  const printed = [
    plus(kept, 1),
    minus(196, kept),
    times(batch, plus(kept, 1)),
    times(2, times(kept, kept)),
    minus(0, kept),
    minus(kept, kept),
  ].map(formatDim)
  expect(printed).toEqual(['kept+1', '-kept+196', 'batch·kept+batch', '2·kept·kept', '-kept', '0'])
  expect(formatShape([batch, 197, 192])).toBe('[batch, 197, 192]')
  expect(formatDim(elements([batch, 197, 192]))).toBe('37824·batch')
})

test('shapes are the same only with the same rank and the same sizes', () => {
  const batch = symbol('batch')
  expect(sameShape([batch, 2], [batch, 2])).toBe(true)
  expect(sameShape([batch, 2], [batch])).toBe(false)
  expect(sameShape([batch], [batch, 2])).toBe(false)
  expect(sameShape([batch, 2], [symbol('kept'), 2])).toBe(false)
})

test('a symbol without a value is named', () => {
  expect(() => evaluate(plus(symbol('batch'), 1), { kept: 3 })).toThrow(
    'The size "batch" of batch+1 has no value here.',
  )
})

describe('sizes that are decided', () => {
  test('one after the other or at once, they give the same number', () => {
    fc.assert(
      fc.property(dims, bindings, (dim, all) => {
        const { batch, ...others } = all
        expect(evaluate(substitute(dim, { batch }), others)).toBe(evaluate(dim, all))
        expect(substitute(dim, all)).toBe(evaluate(dim, all))
      }),
    )
  })

  test('a decided symbol is no longer in the size', () => {
    expect(formatDim(substitute(plus(times(symbol('batch'), symbol('kept')), 1), { batch: 3 }))).toBe(
      '3·kept+1',
    )
  })
})
