import { expect, test } from 'vitest'
import { addCosts, type Convention, conventions, noCost } from '../../src/graph/cost.js'
import { formatDim, symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { zeros } from '../../src/graph/initialiser.js'
import * as ops from '../../src/graph/ops/index.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { doubled } from '../../src/nn/convolution.js'

const batch = symbol('batch')
const map = (channels: number, size: number) => ops.input('map', [batch, channels, size, size])
const p = (...shape: number[]) => ops.parameter('p', shape, zeros)

/** What an op costs in each convention, by numbers that are counted by hand or stand in a specification. */
const known: readonly (readonly [what: string, op: () => Tensor, Partial<Record<Convention, string>>])[] = [
  // Segment Anything's neck: N·9·256² on 64 × 64
  [
    'a convolution with padding',
    () => ops.convolution(map(256, 64), p(256, 256, 3, 3), undefined, { stride: 1, padding: 1 }),
    { linear: `${4096 * 9 * 256 ** 2}·batch`, thop: `${4096 * 9 * 256 ** 2}·batch` },
  ],
  [
    'a convolution of each channel by itself',
    () => ops.convolution(map(192, 14), p(192, 1, 3, 3), undefined, { stride: 2, padding: 1, groups: 192 }),
    { linear: `${7 * 7 * 192 * 9}·batch` },
  ],
  [
    'a product of stacks that broadcast',
    () => ops.matmul(ops.input('a', [batch, 3, 5, 4]), p(3, 4, 6)),
    { linear: '0', full: `${3 * 5 * 4 * 6}·batch` },
  ],
  [
    'resizing',
    () => ops.resizeBilinear(map(3, 8), { height: 16, width: 16 }),
    { linear: '0', full: '0', thop: '0' },
  ],
  [
    'copying windows',
    () => ops.unfold(map(3, 8), { kernel: 7, stride: 4, padding: 2 }),
    { linear: '0', full: '0', thop: '0' },
  ],
  [
    'choosing',
    () => ops.where(ops.greater(map(3, 8), 0), map(3, 8), 0),
    { linear: '0', full: '0', thop: '0' },
  ],
]

test.each(known)('%s', (_, op, expected) => {
  const cost = op().cost()
  const names = Object.keys(expected) as Convention[]
  expect(Object.fromEntries(names.map((name) => [name, formatDim(conventions[name](cost))]))).toEqual(
    expected,
  )
})

// Segment Anything's mask decoder: thop counts 1.0737 G and 0.5369 G, four times too many
test.each([
  ['first', 64 * 64, 256, 64, '1073741824·batch'],
  ['second', 128 * 128, 64, 32, '536870912·batch'],
])('the %s transposed convolution of Segment Anything', (_, places, width, out, thop) => {
  const tokens = ops.input('tokens', [batch, places, width])
  const { nodes } = graphOf('doubled', { y: doubled('conv', tokens, { out }) })
  const cost = nodes.map((node) => node.cost()).reduce(addCosts, noCost)
  expect(formatDim(conventions.thop(cost))).toBe(thop)
  expect(formatDim(conventions.full(cost))).toBe(`${places * width * out * 4}·batch`)
})

test('what no convention counts can be read by its name', () => {
  const resized = ops.resizeBilinear(map(3, 8), { height: 16, width: 16 })
  expect(formatDim(resized.cost().resized ?? 0)).toBe('768·batch')
})
