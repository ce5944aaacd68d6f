import fc from 'fast-check'
import { describe, test } from 'vitest'
import { plus, symbol, times } from '../../src/graph/dim.js'
import { add, concat, expand, gelu, linear, padStart, reshape, slice } from '../../src/graph/ops/index.js'
import { onBenches, sizes } from './bench.js'
import * as reference from './reference.js'

const tokenSizes = fc.record(sizes)

describe('native and standard lowerings agree with plain indexing', () => {
  test('slices along every axis, from both ends', () =>
    onBenches(fc.tuple(tokenSizes, fc.nat(), fc.nat()), async (bench, [size, a, b]) => {
      const shape = [size.batch, size.tokens, size.width]
      const x = bench.input('x', [['batch', size.batch], ['tokens', size.tokens], size.width])
      const rows = bench.asRows(x)
      const outputs = shape.flatMap((length, axis) => {
        const start = a % length
        const end = start + 1 + (b % (length - start))
        const numbers = reference.slice(x.numbers, axis, start, end)
        return [
          [`full${axis}`, { tensor: slice(x.tensor, { axis, start, end }), numbers }],
          [`rows${axis}`, { tensor: slice(rows.tensor, { axis: axis - 3, start, end }), numbers }],
        ] as const
      })
      await bench.expectNumbers(Object.fromEntries(outputs))
    }))

  test('rows of a parameter are read from its storage, other parts are cut when the graph runs', () =>
    onBenches(fc.tuple(sizes.tokens, sizes.width, fc.nat(), fc.nat()), async (bench, [rows, width, a, b]) => {
      const weight = bench.parameter('weight', [rows, width])
      const start = a % rows
      const end = start + 1 + (b % (rows - start))
      const part = slice(weight.tensor, { axis: 0, start, end })
      const numbers = reference.slice(weight.numbers, 0, start, end)
      await bench.expectNumbers({
        whole: weight,
        part: { tensor: part, numbers },
        partOfPart: {
          tensor: slice(part, { axis: 0, start: end - start - 1 }),
          numbers: reference.slice(numbers, 0, end - start - 1, end - start),
        },
        channels: {
          tensor: slice(weight.tensor, { axis: 1, start: width - 1 }),
          numbers: reference.slice(weight.numbers, 1, width - 1, width),
        },
      })
    }))

  test('tokens cut at a size fed at run time come back together, even if one part is empty', () =>
    onBenches(fc.tuple(tokenSizes, fc.nat()), async (bench, [size, pick]) => {
      const kept = bench.size('kept', pick % (size.tokens + 1))
      const keptNow = pick % (size.tokens + 1)
      const x = bench.input('x', [['batch', size.batch], size.tokens + 1, size.width])
      // one more token than patches, as a class token comes with them
      const boundary = plus(kept, 1)
      const first = slice(x.tensor, { axis: 1, end: boundary })
      const rest = slice(x.tensor, { axis: 1, start: boundary })
      const [weight, bias] = [
        bench.parameter('w', [size.width, size.width]),
        bench.parameter('b', [size.width]),
      ]
      const mapped = linear(rest, weight.tensor, bias.tensor)
      const restNumbers = reference.slice(x.numbers, 1, keptNow + 1, size.tokens + 1)
      const mappedNumbers = reference.linear(restNumbers, weight.numbers, bias.numbers)
      const firstNumbers = reference.slice(x.numbers, 1, 0, keptNow + 1)
      await bench.expectNumbers({
        together: { tensor: concat([first, rest], { axis: 1 }), numbers: x.numbers },
        // the rest as rows and back
        afterRows: {
          tensor: concat([first, add(mapped, gelu(rest))], { axis: 1 }),
          numbers: reference.concat(
            [
              firstNumbers,
              reference.elementwise(mappedNumbers, reference.gelu(restNumbers), (a, b) => a + b),
            ],
            1,
          ),
        },
      })
    }))

  test('concatenates along every axis', () =>
    onBenches(fc.tuple(tokenSizes, sizes.tokens), async (bench, [size, more]) => {
      const x = bench.input('x', [['batch', size.batch], ['tokens', size.tokens], size.width])
      const y = bench.input('y', [['batch', size.batch], ['more', more], size.width])
      const tokens = reference.concat([x.numbers, y.numbers, x.numbers], 1)
      await bench.expectNumbers({
        tokens: {
          tensor: concat([x.tensor, y.tensor, bench.asRows(x).tensor], { axis: 1 }),
          numbers: tokens,
        },
        batch: {
          tensor: concat([x.tensor, x.tensor], { axis: 0 }),
          numbers: reference.concat([x.numbers, x.numbers], 0),
        },
        channels: {
          tensor: concat([x.tensor, bench.asRows(x).tensor], { axis: -1 }),
          numbers: reference.concat([x.numbers, x.numbers], 2),
        },
      })
    }))

  test('expands a class token to every picture, pads zeros before the tokens, reshapes', () =>
    onBenches(fc.tuple(tokenSizes, fc.nat(3)), async (bench, [{ batch, tokens, width }, count]) => {
      const x = bench.input('x', [['batch', batch], ['tokens', tokens], width])
      const token = bench.parameter('token', [1, 1, width])
      const [batchNow, tokensNow] = [symbol('batch'), symbol('tokens')]
      const flat = { shape: [batch, tokens * width], values: x.numbers.values }
      const tokensByWidth = reference.generate([batch, width, tokens], ([b = 0, ...rest]) =>
        reference.at(flat, [b, (rest[0] ?? 0) * tokens + (rest[1] ?? 0)]),
      )
      await bench.expectNumbers({
        expanded: {
          tensor: expand(token.tensor, [batchNow, tokensNow, width]),
          numbers: reference.expand(token.numbers, [batch, tokens, width]),
        },
        padded: { tensor: padStart(x.tensor, { count }), numbers: reference.padStart(x.numbers, count) },
        paddedRows: {
          tensor: padStart(bench.asRows(x).tensor, { count }),
          numbers: reference.padStart(x.numbers, count),
        },
        paddedMatrix: {
          tensor: padStart(reshape(x.tensor, [batchNow, times(tokensNow, width)]), { count }),
          numbers: reference.padStart(flat, count),
        },
        reshaped: { tensor: reshape(x.tensor, [batchNow, width, tokensNow]), numbers: tokensByWidth },
        reshapedRows: {
          tensor: reshape(bench.asRows(x).tensor, [batchNow, width, tokensNow]),
          numbers: tokensByWidth,
        },
      })
    }))
})
