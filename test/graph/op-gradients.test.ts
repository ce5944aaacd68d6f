import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gradients } from '../../src/graph/gradients.js'
import * as ops from '../../src/graph/ops/index.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { count, evaluateTensors, evaluatorOf, type Values } from '../support/evaluate.js'
import { expectClose } from '../support/expect-close.js'
import { type Bench, type Known, onBenches, type Size, sizes } from './bench.js'

interface Sizes {
  readonly batch: number
  readonly tokens: number
  readonly width: number
}

/** Makes the leaves that an op is applied to and remembers their numbers. */
class Leaves {
  readonly known: Known[] = []
  readonly batch: Size
  readonly tokens: Size
  readonly width: number

  constructor(
    readonly bench: Bench,
    size: Sizes,
  ) {
    this.batch = ['batch', size.batch]
    this.tokens = ['tokens', size.tokens]
    this.width = size.width
  }

  private keep(leaf: Known): Tensor {
    this.known.push(leaf)
    return leaf.tensor
  }

  input(name: string, shape: readonly Size[]): Tensor {
    return this.keep(this.bench.input(name, shape))
  }

  /** Numbers in [0.5, 2.5). */
  positive(name: string, shape: readonly Size[]): Tensor {
    const sizesNow = shape.map((size) => (typeof size === 'number' ? size : size[1]))
    const drawn = this.bench.input(`drawn ${name}`, shape).numbers
    const values = drawn.values.map((value) => Math.fround(1.5 + value / 2))
    return this.keep(this.bench.input(name, shape, { shape: sizesNow, values }))
  }

  parameter(name: string, shape: readonly number[]): Tensor {
    return this.keep(this.bench.parameter(name, shape))
  }

  /** `[batch, tokens, width]` */
  x(name = 'x'): Tensor {
    return this.input(name, [this.batch, this.tokens, this.width])
  }

  /** The same as flat rows. */
  rows(name = 'x'): Tensor {
    return ops.linear(
      this.x(name),
      this.parameter(`${name}.w`, [this.width, this.width]),
      this.vector(`${name}.b`),
    )
  }

  vector(name: string): Tensor {
    return this.parameter(name, [this.width])
  }
}

/** Three heads of width 2, two queries, five keys. */
function attended(l: Leaves, options: Omit<ops.AttentionOptions, 'heads'> = {}): Tensor {
  const tokens = (name: string, size: Size) => l.input(name, [l.batch, size, 6])
  return ops.attention(tokens('q', ['n', 2]), tokens('k', ['m', 5]), tokens('v', ['m', 5]), {
    heads: 3,
    ...options,
  })
}

/** Summed over the rows, as their number would be a size of the weights; squares have gradients that differ. */
function squaresOfKept(l: Leaves, mask: Tensor): Tensor {
  const kept = ops.compact(l.input('rows', [l.tokens, l.width]), mask, { size: 'kept' })
  return ops.reduceSum(ops.multiply(kept, kept), { axes: [0] })
}

/** What is differentiated, for each op of the index that computes with numbers. */
const cases: Readonly<Record<string, (leaves: Leaves) => Tensor>> = {
  add: (l) => ops.add(l.x(), l.vector('b')),
  'add of a table': (l) => ops.add(l.rows(), l.input('table', [1, l.tokens, l.width])),
  'add of a scalar': (l) => ops.add(l.parameter('s', [1]), l.x()),
  scaleShift: (l) => ops.scaleShift(l.x(), { scale: -3, shift: 1 }),
  maximum: (l) => ops.maximum(l.x(), 0.3),
  attention: (l) => attended(l),
  'attention with a scale of its own': (l) => attended(l, { scale: 0.3 }),
  'attention with values of another width': (l) =>
    ops.attention(
      l.input('q', [l.batch, ['n', 2], 6]),
      l.input('k', [l.batch, ['m', 5], 6]),
      l.input('v', [l.batch, ['m', 5], 9]),
      { heads: 3 },
    ),
  'attention with a bias for each key': (l) =>
    attended(l, { bias: l.input('bias', [l.batch, 1, 1, ['m', 5]]) }),
  'attention with a bias for each head and pair': (l) =>
    attended(l, { bias: l.input('bias', [3, ['n', 2], ['m', 5]]) }),
  'attention with a bias for everything': (l) =>
    attended(l, { bias: l.input('bias', [l.batch, 3, ['n', 2], ['m', 5]]) }),
  attentionMap: (l) =>
    ops.attentionMap(l.input('q', [l.batch, ['n', 2], 6]), l.input('k', [l.batch, l.tokens, 6]), {
      heads: 2,
    }),
  'attentionMap with a bias and a scale': (l) =>
    ops.attentionMap(l.input('q', [l.batch, ['n', 2], 6]), l.input('k', [l.batch, l.tokens, 6]), {
      heads: 2,
      scale: 0.3,
      bias: l.input('bias', [2, ['n', 2], l.tokens]),
    }),
  queryAttention: (l) =>
    ops.queryAttention(l.input('q', [l.batch, 1, 6]), l.input('k', [l.batch, l.tokens, 6]), { heads: 2 }),
  'queryAttention with a bias': (l) =>
    ops.queryAttention(l.input('q', [l.batch, 1, 6]), l.input('k', [l.batch, l.tokens, 6]), {
      heads: 2,
      bias: l.input('bias', [l.batch, 1, 1, l.tokens]),
    }),
  compact: (l) => squaresOfKept(l, l.input('mask', [l.tokens])),
  'compact of no row': (l) => squaresOfKept(l, ops.greater(l.input('mask', [l.tokens]), 99)),
  'concat of parts': (l) => ops.concat([l.x('a'), l.x('b')], { axis: 1 }),
  'concat of channels': (l) => ops.concat([l.x('a'), l.x('b'), l.rows('c')], { axis: -1 }),
  'convolution of patches': (l) =>
    ops.convolution(l.input('x', [l.batch, 2, 4, 6]), l.parameter('w', [3, 2, 2, 2]), l.parameter('b', [3]), {
      stride: 2,
    }),
  'convolution with spare pixels': (l) =>
    ops.convolution(l.input('x', [l.batch, 2, 7, 6]), l.parameter('w', [3, 2, 3, 2]), l.parameter('b', [3]), {
      stride: 3,
    }),
  'convolution with overlaps': (l) =>
    ops.convolution(l.input('x', [l.batch, 1, 6, 5]), l.parameter('w', [2, 1, 3, 3]), l.parameter('b', [2]), {
      stride: 1,
    }),
  'convolution without bias': (l) =>
    ops.convolution(l.input('x', [l.batch, 2, 4, 6]), l.parameter('w', [3, 2, 2, 2]), undefined, {
      stride: 2,
    }),
  'convolution with padding': (l) =>
    ops.convolution(l.input('x', [l.batch, 2, 5, 4]), l.parameter('w', [3, 2, 3, 3]), l.parameter('b', [3]), {
      stride: 1,
      padding: 1,
    }),
  'convolution with a stride over padding': (l) =>
    ops.convolution(l.input('x', [l.batch, 1, 6, 7]), l.parameter('w', [2, 1, 3, 3]), l.parameter('b', [2]), {
      stride: 2,
      padding: 1,
    }),
  'convolution of each channel by itself': (l) =>
    ops.convolution(l.input('x', [l.batch, 4, 5, 6]), l.parameter('w', [4, 1, 3, 3]), undefined, {
      stride: 2,
      padding: 1,
      groups: 4,
    }),
  'convolution in groups with spread taps': (l) =>
    ops.convolution(l.input('x', [l.batch, 4, 8, 7]), l.parameter('w', [6, 2, 2, 3]), l.parameter('b', [6]), {
      stride: 3,
      padding: 2,
      dilation: 2,
      groups: 2,
    }),
  cosine: (l) => ops.cosine(l.x()),
  cumulativeSum: (l) => ops.cumulativeSum(l.rows()),
  'cumulativeSum from the end': (l) =>
    ops.cumulativeSum(l.input('s', [l.batch, l.tokens]), { fromEnd: true }),
  divide: (l) => ops.divide(l.x(), l.positive('d', [l.batch, l.tokens, 1])),
  divideBySize: (l) => ops.divideBySize(l.x(), l.x('y').shape[0] ?? 1),
  expand: (l) => {
    const x = l.x()
    return ops.concat([ops.expand(l.parameter('cls', [1, 1, l.width]), x.shape.with(1, 2)), x], { axis: 1 })
  },
  exponential: (l) => ops.exponential(l.x()),
  exponentialMinusOne: (l) => ops.exponentialMinusOne(l.x()),
  'gather of tokens': (l) => ops.gather(l.x(), ops.argsort(l.input('s', [l.batch, l.tokens]))),
  'gather of some': (l) =>
    ops.gather(l.x(), ops.slice(ops.argsort(l.input('s', [l.batch, l.tokens])), { axis: 1, end: 1 })),
  'gather of the same twice': (l) => {
    const order = ops.argsort(l.input('s', [l.batch, l.tokens]))
    return ops.gather(l.rows(), ops.concat([order, ops.inverseOrder(order)], { axis: 1 }))
  },
  'gather of scores': (l) => {
    const scores = l.input('s', [l.batch, l.tokens])
    return ops.gather(scores, ops.argsort(scores))
  },
  gelu: (l) => ops.gelu(l.x()),
  'gelu of rows': (l) => ops.gelu(l.rows()),
  layerNorm: (l) => ops.layerNorm(l.x(), l.vector('w'), l.vector('b'), { epsilon: 0.1 }),
  'layerNorm of rows': (l) => ops.layerNorm(l.rows(), l.vector('w'), l.vector('b'), { epsilon: 0.1 }),
  linear: (l) => ops.linear(l.x(), l.parameter('w', [3, l.width]), l.parameter('b', [3])),
  'linear of a vector': (l) =>
    ops.linear(l.input('v', [l.width]), l.parameter('w', [3, l.width]), l.parameter('b', [3])),
  logarithm: (l) => ops.logarithm(l.positive('x', [l.batch, l.width])),
  logSoftmax: (l) => ops.logSoftmax(l.x()),
  mapToTokens: (l) => ops.mapToTokens(l.input('map', [l.batch, 3, 2, 4])),
  'matmul with a matrix': (l) => ops.matmul(l.x(), l.parameter('w', [l.width, 3])),
  'matmul with a transposed matrix': (l) =>
    ops.matmul(l.rows(), l.parameter('w', [3, l.width]), { transposeB: true }),
  'matmul of two matrices': (l) =>
    ops.matmul(l.input('a', [4, 3]), l.input('b', [5, 4]), { transposeA: true, transposeB: true }),
  'matmul of a transposed matrix': (l) =>
    ops.matmul(l.input('a', [4, 3]), l.input('b', [4, 2]), { transposeA: true }),
  'matmul of stacks': (l) => ops.matmul(l.x('a'), l.x('b'), { transposeB: true }),
  'matmul of transposed stacks': (l) => ops.matmul(l.x('a'), l.x('b'), { transposeA: true }),
  mean: (l) => ops.mean(l.x()),
  multiply: (l) => ops.multiply(l.x(), l.input('gate', [l.batch, l.tokens, 1])),
  'multiply by a scalar': (l) => ops.multiply(l.rows(), l.parameter('s', [1])),
  'multiply by a single number': (l) => ops.multiply(l.rows(), l.parameter('s', [])),
  'matmul of stacks that broadcast': (l) =>
    ops.matmul(l.input('a', [l.batch, 3, 1, 2, l.width]), l.input('b', [2, l.width, 4])),
  'matmul of a matrix with stacks': (l) =>
    ops.matmul(l.input('a', [2, l.width]), l.x('b'), { transposeB: true }),
  'matmul of transposed stacks that broadcast': (l) =>
    ops.matmul(l.input('a', [l.batch, 1, 3, 2]), l.input('b', [4, 5, 3]), {
      transposeA: true,
      transposeB: true,
    }),
  'mean of tokens': (l) => ops.mean(l.x(), { axes: [1] }),
  'mean of a map': (l) => ops.mean(l.input('map', [l.batch, 3, 2, 4]), { axes: [2, -1] }),
  'multiply by itself': (l) => {
    const x = l.x()
    return ops.multiply(x, x)
  },
  pad: (l) => ops.pad(ops.pad(l.x(), { axis: -1, before: 2, after: 1 }), { axis: 0, after: 2 }),
  padStart: (l) => ops.padStart(l.x(), { count: 2 }),
  reduceSum: (l) => ops.reduceSum(l.x(), { axes: [1] }),
  'reduceSum of channels': (l) => ops.reduceSum(l.rows(), { axes: [-1] }),
  'reduceSum of rows': (l) => ops.reduceSum(l.rows(), { axes: [0, 1] }),
  reduceMax: (l) => ops.reduceMax(l.x()),
  'reduceMax of rows': (l) => ops.reduceMax(l.rows()),
  relu: (l) => ops.relu(l.rows()),
  reshape: (l) => {
    const x = l.x()
    return ops.reshape(x, [...x.shape.slice(0, 1), 1, ...x.shape.slice(1)])
  },
  'resizeBilinear to a larger map': (l) =>
    ops.resizeBilinear(l.input('x', [l.batch, 2, 3, 5]), { height: 7, width: 6 }),
  'resizeBilinear to a smaller map': (l) =>
    ops.resizeBilinear(l.input('x', [l.batch, 2, 8, 5]), { height: 3, width: 5 }),
  'resizeBicubic to a larger map': (l) =>
    ops.resizeBicubic(l.input('x', [l.batch, 2, 3, 5]), { height: 7, width: 6 }),
  'resizeBicubic to a smaller map': (l) =>
    ops.resizeBicubic(l.input('x', [l.batch, 2, 8, 5]), { height: 3, width: 5 }),
  addAt: (l) => {
    const order = ops.argsort(l.input('s', [l.batch, l.tokens]))
    return ops.addAt(l.x(), ops.gather(l.x(), order), order)
  },
  scatterAdd: (l) => ops.scatterAdd(l.x(), ops.argsort(l.input('s', [l.batch, l.tokens])), { tokens: 9 }),
  sigmoid: (l) => ops.sigmoid(l.x()),
  silu: (l) => ops.silu(l.rows()),
  sine: (l) => ops.sine(l.x()),
  slice: (l) => ops.slice(l.x(), { axis: 1, end: 1 }),
  'slice of every second': (l) => {
    const x = l.input('x', [l.batch, 7, l.width])
    const [even, odd] = [0, 1].map((start) => ops.slice(x, { axis: 1, start, step: 2 }))
    return even && odd ? ops.concat([odd, even], { axis: 1 }) : x
  },
  'slice of every third of a part': (l) =>
    ops.slice(l.parameter('w', [9, 2]), { axis: 0, start: 1, end: 6, step: 3 }),
  'slices that split': (l) => {
    const x = l.x()
    const parts = [0, 1].map((start) => ops.slice(x, { axis: 1, start, ...(start === 0 ? { end: 1 } : {}) }))
    return ops.concat(parts.toReversed(), { axis: 1 })
  },
  'slices that overlap or leave gaps': (l) => {
    const x = l.parameter('x', [7, 2])
    const part = (start: number, end: number) => ops.slice(x, { axis: 0, start, end })
    return ops.concat(
      [part(1, 4), part(5, 6), part(3, 6), part(1, 4), ops.slice(x, { axis: 1, end: 1 }), x].map((y) =>
        ops.reshape(y, [y.shape.reduce<number>((a, b) => a * Number(b), 1)]),
      ),
      { axis: 0 },
    )
  },
  softmax: (l) => ops.softmax(l.x()),
  squareRoot: (l) => ops.squareRoot(l.positive('x', [l.batch, l.width])),
  subtract: (l) => ops.subtract(l.vector('a'), l.x()),
  table: (l) => ops.multiply(l.x(), ops.table([1, 0, -3], [3, 1, 1, 1])),
  where: (l) => ops.where(ops.greater(l.x('a'), l.input('b', [l.tokens, 1])), l.rows('c'), l.vector('d')),
  'where not to look': (l) =>
    ops.softmax(ops.where(ops.less(l.x('a'), l.x('a')), Number.NEGATIVE_INFINITY, l.x())),
  transpose: (l) => ops.transpose(l.x(), [2, 0, 1]),
  'counted as more than it is': (l) => ops.counted(l.x(), { thopExcess: 7 }),
  'pick, some twice and some never': (l) =>
    ops.pick(l.input('x', [l.batch, 5, 3]), [4, 0, 0, 2], { axis: 1 }),
  'pick of what stands first': (l) => ops.pick(l.parameter('x', [4, 3]), [1, 1, 3], { axis: 0 }),
  'unfold into windows that overlap': (l) =>
    ops.unfold(l.input('x', [l.batch, 2, 5, 4]), { kernel: 3, stride: 2, padding: 1 }),
  'unfold with spare pixels': (l) => ops.unfold(l.input('x', [l.batch, 3, 8, 6]), { kernel: 2, stride: 3 }),
  'unfold twice': (l) => {
    const windows = ops.unfold(l.input('x', [l.batch, 1, 6, 6]), { kernel: 3, stride: 1, padding: 1 })
    const map = ops.reshape(ops.transpose(windows, [0, 2, 1]), [windows.shape[0] ?? 1, 9, 6, 6])
    return ops.unfold(ops.multiply(map, map), { kernel: 3, stride: 2, padding: 1 })
  },
}

/** Ops whose result no number depends on smoothly, and leaves. */
const withoutGradient = [
  'constant',
  'argmax',
  'argsort',
  'equal',
  'fixedParameter',
  'input',
  'buffer',
  'inverseOrder',
  'greater',
  'less',
  'noiseInput',
  'oneHot',
  'parameter',
  'restorePicture',
  'sizeInput',
  'sort',
  'stopGradient',
]

/** Sizes that a run decides are refused on WebGPU (counted-sizes.test.ts). */
const targetsOf = (name: string) =>
  name.startsWith('compact') ? (['native', 'standard'] as const) : (['native', 'standard', 'webgpu'] as const)

const valuesOf = ({ numbers }: Known): Values => ({
  shape: numbers.shape,
  data: Float64Array.from(numbers.values),
})

/** d loss / d each element of a leaf, by central differences in float64. */
function differences(
  loss: Tensor,
  leaf: Known,
  leaves: Record<string, Values>,
  sizesNow: Record<string, number>,
): Float64Array {
  const step = 1e-5
  const name = leaf.tensor.leaf?.name ?? ''
  const original = valuesOf(leaf)
  const lossWith = evaluatorOf([loss], leaves, sizesNow)
  return original.data.map((value, i) => {
    const [above, below] = [value + step, value - step].map((moved) => {
      const [result] = lossWith({ [name]: { ...original, data: original.data.with(i, moved) } })
      return result?.data[0] ?? Number.NaN
    })
    return ((above ?? Number.NaN) - (below ?? Number.NaN)) / (2 * step)
  })
}

test('every op that computes with numbers has a gradient case', () => {
  const tested = Object.keys(cases).map((name) => name.split(' ')[0]?.replace('slices', 'slice'))
  const missing = Object.keys(ops).filter((name) => !tested.includes(name) && !withoutGradient.includes(name))
  expect(missing).toEqual([])
})

describe('gradients agree with central differences in float64, and with all ONNX lowerings', () => {
  test.each(Object.entries(cases))('%s', (name, build) =>
    onBenches(
      fc.record(sizes),
      async (bench, size) => {
        const leaves = new Leaves(bench, size)
        const output = build(leaves)
        const sizesNow: Record<string, number> = { batch: size.batch, tokens: size.tokens, n: 2, m: 5 }
        const known = () =>
          Object.fromEntries(leaves.known.map((leaf) => [leaf.tensor.leaf?.name ?? '', valuesOf(leaf)]))
        const [forward] = evaluateTensors([output], known(), sizesNow)
        if (!forward) throw new Error('no output')
        // every element of the output counts with a weight of its own
        const tested = [...leaves.known]
        const numbers = {
          shape: forward.shape,
          values: Array.from({ length: count(forward.shape) }, (_, i) => Math.fround(Math.sin(i + 1))),
        }
        const weights = bench.input(
          'weights',
          output.shape.map(
            (dim, axis): Size => (typeof dim === 'number' ? dim : [dim, forward.shape[axis] ?? 1]),
          ),
          numbers,
        )
        const loss = ops.reshape(ops.reduceSum(ops.multiply(output, weights.tensor)), [1])
        const all = { ...known(), weights: valuesOf(weights) }
        const targets = tested.map(({ tensor }) => tensor)
        const symbolic = gradients(loss, targets)
        const evaluated = evaluateTensors([...symbolic, output], all, sizesNow)
        const expected: Record<string, Known> = {}
        tested.forEach((leaf, i) => {
          const gradient = evaluated[i]
          const tensor = symbolic[i]
          if (!gradient || !tensor) throw new Error('no gradient')
          // second-order error of a step of 1e-5, and rounding of 1e-16 ÷ 1e-5
          expectClose(gradient.data, differences(loss, leaf, all, sizesNow), { rtol: 1e-6, atol: 1e-6 })
          expected[`gradient ${i}`] = {
            tensor,
            numbers: { shape: gradient.shape, values: Array.from(gradient.data) },
          }
        })
        expected.output = {
          tensor: output,
          numbers: { shape: forward.shape, values: Array.from(forward.data) },
        }
        // float32: sums of some dozen terms, magnified by 1/√ε of layer norm
        await bench.expectNumbers(expected, { rtol: 2e-4, atol: 2e-4 }, targetsOf(name))
      },
      { runs: 4 },
    ),
  )
})
