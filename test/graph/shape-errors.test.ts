import { describe, expect, test } from 'vitest'
import { BlvitError } from '../../src/base/blvit-error.js'
import { symbol } from '../../src/graph/dim.js'
import { zeros } from '../../src/graph/initialiser.js'
import {
  add,
  addAt,
  argmax,
  argsort,
  attention,
  compact,
  concat,
  convolution,
  cumulativeSum,
  divide,
  equal,
  expand,
  gather,
  input,
  inverseOrder,
  layerNorm,
  linear,
  mapToTokens,
  matmul,
  oneHot,
  pad,
  parameter,
  queryAttention,
  reduceMax,
  reshape,
  resizeBilinear,
  scatterAdd,
  slice,
  sort,
  subtract,
  table,
  transpose,
  unfold,
  where,
} from '../../src/graph/ops/index.js'
import { scope } from '../../src/graph/scope.js'
import type { Tensor } from '../../src/graph/tensor.js'

const batch = symbol('batch')
const tokens = input('tokens', [batch, 5, 6])
const picture = input('picture', [batch, 3, 8, 8])
const scores = input('scores', [batch, 5])
const p = (...shape: number[]) => parameter('p', shape, zeros)

/** What must not be built, and the two shapes that its message names. */
const impossible: readonly (readonly [what: string, build: () => Tensor, ...shapes: string[]])[] = [
  ['adding what does not broadcast', () => add(tokens, p(4)), '[batch, 5, 6]', '[4]'],
  ['a weight of another width', () => linear(tokens, p(2, 7), p(2)), '[batch, 5, 6]', '[2, 7]'],
  ['a weight that is a vector', () => linear(tokens, p(6), p(6)), '[batch, 5, 6]', '[6]'],
  ['a bias of another width', () => linear(tokens, p(2, 6), p(3)), '[2, 6]', '[3]'],
  ['a norm of another width', () => layerNorm(tokens, p(6), p(5), { epsilon: 1e-6 }), '[6]', '[5]'],
  [
    'heads that do not divide the width',
    () => attention(tokens, tokens, tokens, { heads: 4 }),
    '[batch, 5, 6]',
  ],
  [
    'fewer values than keys',
    () => attention(tokens, tokens, slice(tokens, { axis: 1, end: 2 }), { heads: 2 }),
    '[batch, 5, 6]',
    '[batch, 2, 6]',
  ],
  [
    'keys of another batch',
    () => attention(tokens, p(1, 5, 6), p(1, 5, 6), { heads: 2 }),
    '[batch, 5, 6]',
    '[1, 5, 6]',
  ],
  ['the view of several queries', () => queryAttention(tokens, tokens, { heads: 2 }), '[batch, 5, 6]'],
  [
    'a kernel larger than the picture',
    () => convolution(picture, p(2, 3, 9, 9), p(2), { stride: 1 }),
    '[batch, 3, 8, 8]',
    '[2, 3, 9, 9]',
  ],
  [
    'a kernel of other channels',
    () => convolution(picture, p(2, 4, 2, 2), p(2), { stride: 2 }),
    '[batch, 3, 8, 8]',
    '[2, 4, 2, 2]',
  ],
  [
    'a convolution bias that is too long',
    () => convolution(picture, p(2, 3, 2, 2), p(3), { stride: 2 }),
    '[3]',
  ],
  [
    'channels that groups do not divide',
    () => convolution(picture, p(4, 1, 2, 2), undefined, { stride: 2, groups: 2 }),
    '[batch, 3, 8, 8]',
    '[4, 1, 2, 2]',
  ],
  [
    'a stride of nothing',
    () => convolution(picture, p(2, 3, 2, 2), undefined, { stride: 0 }),
    '[batch, 3, 8, 8]',
  ],
  ['resizing tokens', () => resizeBilinear(tokens, { height: 4, width: 4 }), '[batch, 5, 6]'],
  ['resizing to nothing', () => resizeBilinear(picture, { height: 0, width: 4 }), '[batch, 3, 8, 8]'],
  ['half a zero', () => pad(tokens, { axis: 1, before: 0.5 }), '[batch, 5, 6]'],
  ['the sums of indices', () => cumulativeSum(argsort(scores)), '[batch, 5]'],
  ['windows of what is no map', () => unfold(tokens, { kernel: 3, stride: 2 }), '[batch, 5, 6]'],
  ['a window larger than the map', () => unfold(picture, { kernel: 9, stride: 1 }), '[batch, 3, 8, 8]'],
  ['windows that don’t move', () => unfold(picture, { kernel: 3, stride: 0 }), '[batch, 3, 8, 8]'],
  ['tokens of what is no map', () => mapToTokens(tokens), '[batch, 5, 6]'],
  ['a slice beyond the end', () => slice(tokens, { axis: 1, end: 6 }), '[batch, 5, 6]'],
  ['a slice that ends before it starts', () => slice(tokens, { axis: 1, start: 3, end: 2 }), '[batch, 5, 6]'],
  ['joining different widths', () => concat([tokens, p(1, 5, 7)], { axis: 1 }), '[batch, 5, 6]', '[1, 5, 7]'],
  ['joining nothing', () => concat([], { axis: 1 })],
  ['other elements under a new shape', () => reshape(tokens, [batch, 31]), '[batch, 5, 6]', '[batch, 31]'],
  ['repeating an axis that is not 1', () => expand(p(2, 6), [4, 6]), '[2, 6]', '[4, 6]'],
  ['fewer than no zeros', () => pad(p(6), { axis: 0, before: -1 }), '[6]'],
  ['the order of what is no row of scores', () => argsort(tokens), '[batch, 5, 6]'],
  ['the inverse of what is no order', () => inverseOrder(scores), '[batch, 5]'],
  ['a matrix of another height', () => matmul(tokens, p(5, 2)), '[batch, 5, 6]', '[5, 2]'],
  ['the transpose of what is no matrix', () => matmul(tokens, p(5, 2), { transposeA: true }), '[5, 2]'],
  ['dividing by what does not broadcast', () => divide(tokens, p(4)), '[batch, 5, 6]', '[4]'],
  ['subtracting what does not broadcast', () => subtract(p(4), tokens), '[batch, 5, 6]', '[4]'],
  ['an axis that is named twice', () => transpose(tokens, [0, 1, 1]), '[batch, 5, 6]'],
  ['classes by floats', () => oneHot(scores, { classes: 3 }), '[batch, 5]'],
  ['adding at places that are floats', () => addAt(tokens, tokens, scores), '[batch, 5, 6]', '[batch, 5]'],
  ['adding tokens of another width', () => addAt(p(2, 3, 4), p(2, 3, 5), argsort(p(2, 3))), '[2, 3, 5]'],
  ['putting back by floats', () => scatterAdd(tokens, scores, { tokens: 9 }), '[batch, 5, 6]', '[batch, 5]'],
  [
    'putting back more than was picked',
    () => scatterAdd(p(2, 3), argsort(p(2, 2)), { tokens: 9 }),
    '[2, 3]',
    '[2, 2]',
  ],
  ['stacks that do not broadcast', () => matmul(tokens, p(2, 6, 3)), '[batch, 5, 6]', '[2, 6, 3]'],
  ['comparing indices with floats', () => equal(argsort(scores), scores), '[batch, 5]'],
  ['choosing between indices and floats', () => where(scores, argsort(scores), scores), '[batch, 5]'],
  ['choosing by indices', () => where(argsort(scores), scores, scores), '[batch, 5]'],
  ['choosing what does not broadcast', () => where(scores, p(4), p(1)), '[batch, 5]', '[4]'],
  ['the largest of a single number', () => reduceMax(p()), '[]'],
  ['the place of the largest index', () => argmax(argsort(scores)), '[batch, 5]'],
  ['sorting scores as indices', () => sort(scores), '[batch, 5]'],
  ['a table with a number too many', () => table([1, 2, 3], [2])],
  ['keeping rows by a mask of others', () => compact(p(5, 6), p(4), { size: 'kept' }), '[5, 6]', '[4]'],
  ['picking by floats', () => gather(tokens, scores), '[batch, 5, 6]', '[batch, 5]'],
]

describe('what does not fit names the place and the shapes', () => {
  test.each(impossible.map(([what, build, ...shapes]) => ({ what, build, shapes })))('$what', (given) => {
    const { build, shapes } = given
    let thrown: unknown
    try {
      scope('blocks.3', () => scope('attn', build))
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(BlvitError)
    const { code, message, fields } = thrown as BlvitError
    expect(code).toBe('SHAPE_MISMATCH')
    expect(message).toContain(' in blocks.3.attn got ')
    for (const shape of shapes) expect(message).toContain(shape)
    expect(fields.scope).toBe('blocks.3.attn')
  })
})

test('the message reads as a sentence', () => {
  expect(() => linear(tokens, p(2, 7), p(2))).toThrow(
    'Linear in the graph got [batch, 5, 6] and [2, 7] and [2], but needs x [..., in], weight [out, in] and bias [out].',
  )
})

test('an axis that a tensor does not have is a bug of the caller', () => {
  expect(() => slice(tokens, { axis: 3, end: 1 })).toThrow('no axis 3 in a tensor of rank 3')
  expect(() => concat([tokens, tokens], { axis: -4 })).toThrow('no axis -4')
})
