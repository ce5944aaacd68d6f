/**
 * A slow, plain interpreter of graphs in float64: one function for each op, loops over row-major arrays.
 * It shares nothing with src/graph but the nodes themselves (op name, attributes, inputs), so that an op's
 * lowering or gradient rule and its meaning here don't err together.
 */
import { type Bindings, type Dim, evaluate as sizeOf } from '../../src/graph/dim.js'
import { reachable } from '../../src/graph/graph.js'
import type { Tensor } from '../../src/graph/tensor.js'
import {
  type Attributes,
  binary,
  byRow,
  count,
  type Evaluate,
  flatPlace,
  forEachIndex,
  one,
  picked,
  placeOf,
  size,
  stridesOf,
  unary,
  type Values,
} from './interpreter/arrays.js'
import { mapOps } from './interpreter/maps.js'
import { selectionOps } from './interpreter/selection.js'

export { count, type Values }

/** erf by its series of terms of one sign, 2/√π·e^(−x²)·Σ 2ⁿx^(2n+1)/(1·3·…·(2n+1)). */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x)
  let term = x
  let total = x
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1)
    total += term
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total
}

const normal = (x: number) => (1 + erf(x / Math.SQRT2)) / 2

function softmaxRow(row: Float64Array): Float64Array {
  const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = row.map((x) => Math.exp(x - largest))
  const total = powers.reduce((a, b) => a + b, 0)
  return powers.map((x) => x / total)
}

function statisticsOf(row: Float64Array, epsilon: number) {
  const mean = row.reduce((a, b) => a + b, 0) / row.length
  const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length
  return { mean, inverse: 1 / Math.sqrt(variance + epsilon) }
}

const layerNorm = byRow((row, inputs, { epsilon }) => {
  const { mean, inverse } = statisticsOf(row, epsilon as number)
  const [weight, bias] = [inputs[1]?.data, inputs[2]?.data]
  return row.map((x, i) => (x - mean) * inverse * (weight?.[i] ?? 1) + (bias?.[i] ?? 0))
})

const linear: Evaluate = (inputs) => {
  const [x, weight, bias] = [one(inputs), one(inputs, 1), one(inputs, 2)]
  const [out = 0, width = 0] = weight.shape
  const rows = x.data.length / width
  const data = new Float64Array(rows * out)
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < out; o++) {
      let total = bias.data[o] ?? 0
      for (let i = 0; i < width; i++)
        total += (x.data[row * width + i] ?? 0) * (weight.data[o * width + i] ?? 0)
      data[row * out + o] = total
    }
  }
  return { shape: [...x.shape.slice(0, -1), out], data }
}

const matmul: Evaluate = (inputs, { transposeA, transposeB }) => {
  const [a, b] = [one(inputs), one(inputs, 1)]
  const [rowsB = 1, columnsB = 1] = b.shape.slice(-2)
  // with a lone matrix all leading axes are rows
  const flat = b.shape.length === 2 && !transposeA
  const width = a.shape.at(-1) ?? 1
  const [rowsA = 1, columnsA = 1] = flat ? [a.data.length / width, width] : a.shape.slice(-2)
  const [m, inner] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA]
  const n = transposeB ? rowsB : columnsB
  const [leadingA, leadingB] = [flat ? [] : a.shape.slice(0, -2), b.shape.slice(0, -2)]
  const rank = Math.max(leadingA.length, leadingB.length)
  const leading = Array.from({ length: rank }, (_, axis) =>
    Math.max(...[leadingA, leadingB].map((shape) => shape[axis - rank + shape.length] ?? 1)),
  )
  const data = new Float64Array(count(leading) * m * n)
  forEachIndex(leading, (index, s) => {
    const atA = placeOf(index, leadingA, stridesOf(leadingA)) * rowsA * columnsA
    const atB = placeOf(index, leadingB, stridesOf(leadingB)) * rowsB * columnsB
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let total = 0
        for (let k = 0; k < inner; k++) {
          const left = a.data[atA + (transposeA ? k * columnsA + i : i * columnsA + k)] ?? 0
          total += left * (b.data[atB + (transposeB ? j * columnsB + k : k * columnsB + j)] ?? 0)
        }
        data[(s * m + i) * n + j] = total
      }
    }
  })
  return { shape: flat ? [...a.shape.slice(0, -1), n] : [...leading, m, n], data }
}

/** softmax(scale·q·kᵀ + bias) of every head of every picture. `[batch, heads, queries, keys]` */
function mapOf(
  [q, k, bias]: readonly [Values, Values, Values | undefined],
  { heads: headCount, scale: given }: Attributes,
): Values {
  const heads = headCount as number
  const [batch = 0, queries = 0, width = 0] = q.shape
  const keys = k.shape[1] ?? 0
  const headWidth = width / heads
  const scale = (given as number | undefined) ?? 1 / Math.sqrt(headWidth)
  const biasStrides = bias ? stridesOf(bias.shape) : []
  const scores = new Float64Array(batch * heads * queries * keys)
  forEachIndex([batch, heads, queries, keys], (index, flat) => {
    const [b = 0, h = 0, i = 0, j = 0] = index
    let total = 0
    for (let c = h * headWidth; c < (h + 1) * headWidth; c++) {
      total += (q.data[(b * queries + i) * width + c] ?? 0) * (k.data[(b * keys + j) * width + c] ?? 0)
    }
    scores[flat] =
      scale * total + (bias ? (bias.data[placeOf(index, bias.shape, biasStrides)] ?? Number.NaN) : 0)
  })
  const rows = Array.from({ length: batch * heads * queries }, (_, row) =>
    Array.from(softmaxRow(scores.subarray(row * keys, (row + 1) * keys))),
  )
  return { shape: [batch, heads, queries, keys], data: Float64Array.from(rows.flat()) }
}

const attentionMap: Evaluate = (inputs, attributes) =>
  mapOf([one(inputs), one(inputs, 1), inputs[2]], attributes)

const attention: Evaluate = (inputs, attributes) => {
  const [q, k, v] = [one(inputs), one(inputs, 1), one(inputs, 2)]
  const map = mapOf([q, k, inputs[3]], attributes)
  const [, heads = 0, queries = 0, keys = 0] = map.shape
  const width = v.shape[2] ?? 0
  const shape = [...q.shape.slice(0, 2), width]
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1))
  forEachIndex(shape, ([b = 0, i = 0, c = 0], flat) => {
    const h = Math.floor(c / (width / heads))
    for (let j = 0; j < keys; j++) {
      const weight = map.data[((b * heads + h) * queries + i) * keys + j] ?? 0
      data[flat] = (data[flat] ?? 0) + weight * (v.data[(b * keys + j) * width + c] ?? 0)
    }
  })
  return { shape, data }
}

const queryAttention: Evaluate = (inputs, attributes) => {
  const map = attentionMap(inputs, attributes, {})
  const [batch = 0, heads = 0, , keys = 0] = map.shape
  const data = new Float64Array(batch * keys)
  map.data.forEach((weight, flat) => {
    const place = Math.floor(flat / (heads * keys)) * keys + (flat % keys)
    data[place] = (data[place] ?? 0) + weight / heads
  })
  return { shape: [batch, keys], data }
}

const transposed = (x: Values, perm: readonly number[]) => {
  const strides = stridesOf(x.shape)
  const shape = perm.map((axis) => x.shape[axis] ?? 1)
  return picked(x, shape, (index) =>
    perm.reduce((place, axis, i) => place + (index[i] ?? 0) * (strides[axis] ?? 0), 0),
  )
}

const concat: Evaluate = (inputs, { axis: along }) => {
  const axis = along as number
  const first = one(inputs)
  const shape = first.shape.with(
    axis,
    inputs.reduce((total, x) => total + (x.shape[axis] ?? 0), 0),
  )
  const strides = stridesOf(shape)
  const data = new Float64Array(count(shape))
  let start = 0
  for (const x of inputs) {
    forEachIndex(x.shape, (index, flat) => {
      data[flatPlace(index, strides) + start * (strides[axis] ?? 0)] = x.data[flat] ?? Number.NaN
    })
    start += x.shape[axis] ?? 0
  }
  return { shape, data }
}

const order =
  (compare: (a: number, b: number) => number): Evaluate =>
  (inputs) => {
    const x = one(inputs)
    const tokens = x.shape[1] ?? 0
    const rows = Array.from({ length: x.shape[0] ?? 0 }, (_, b) => {
      const row = x.data.subarray(b * tokens, (b + 1) * tokens)
      // Array.prototype.sort keeps equal elements in their order
      return Array.from(row.keys()).sort((i, j) => compare(row[i] ?? 0, row[j] ?? 0))
    })
    return { shape: x.shape, data: Float64Array.from(rows.flat()) }
  }

const gather: Evaluate = (inputs) => {
  const [x, indices] = [one(inputs), one(inputs, 1)]
  const [batch = 0, tokens = 0, ...rest] = x.shape
  const each = indices.shape[1] ?? 0
  const width = count(rest)
  const data = new Float64Array(batch * each * width)
  for (let place = 0; place < batch * each; place++) {
    const row = Math.floor(place / each) * tokens + (indices.data[place] ?? 0)
    data.set(x.data.subarray(row * width, (row + 1) * width), place * width)
  }
  return { shape: [batch, each, ...rest], data }
}

const scatterAdd: Evaluate = (inputs, { tokens: dim }, sizes) => {
  const [x, indices] = [one(inputs), one(inputs, 1)]
  const tokens = size(dim, sizes)
  const [batch = 0, each = 0, ...rest] = x.shape
  const width = count(rest)
  const data = new Float64Array(batch * tokens * width)
  for (let place = 0; place < batch * each; place++) {
    const row = Math.floor(place / each) * tokens + (indices.data[place] ?? 0)
    for (let c = 0; c < width; c++) {
      data[row * width + c] = (data[row * width + c] ?? 0) + (x.data[place * width + c] ?? 0)
    }
  }
  return { shape: [batch, tokens, ...rest], data }
}

const addAt: Evaluate = (inputs, _, sizes) => {
  const [to, x, indices] = [one(inputs), one(inputs, 1), one(inputs, 2)]
  const added = scatterAdd([x, indices], { tokens: to.shape[1] }, sizes)
  return { shape: to.shape, data: to.data.map((value, i) => value + (added.data[i] ?? 0)) }
}

const reduceSum: Evaluate = (inputs, { axes }) => {
  const x = one(inputs)
  const shape = x.shape.map((length, axis) => ((axes as number[]).includes(axis) ? 1 : length))
  const strides = stridesOf(shape)
  const data = new Float64Array(count(shape))
  forEachIndex(x.shape, (index, flat) => {
    const place = placeOf(index, shape, strides)
    data[place] = (data[place] ?? 0) + (x.data[flat] ?? 0)
  })
  return { shape, data }
}

const table: Readonly<Record<string, Evaluate>> = {
  ...selectionOps,
  ...mapOps,
  Add: binary((a, b) => a + b),
  ScaleShift: unary((x, { scale, shift }) => (scale as number) * x + (shift as number)),
  Maximum: unary((x, { bound }) => Math.max(x, bound as number)),
  Attention: attention,
  AttentionMap: attentionMap,
  QueryAttention: queryAttention,
  Concat: concat,
  Constant: (_, { value, shape }, sizes) => {
    const sizesNow = (shape as Dim[]).map((dim) => size(dim, sizes))
    return { shape: sizesNow, data: new Float64Array(count(sizesNow)).fill(value as number) }
  },
  Argsort: order((a, b) => b - a),
  Divide: binary((a, b) => a / b),
  DivideBySize: (inputs, { size: by }, sizes) => unary((x) => x / size(by, sizes))(inputs, {}, sizes),
  Expand: (inputs, { shape }, sizes) => {
    const x = one(inputs)
    const strides = stridesOf(x.shape)
    return picked(
      x,
      (shape as Dim[]).map((dim) => size(dim, sizes)),
      (index) => placeOf(index, x.shape, strides),
    )
  },
  Cosine: unary(Math.cos),
  CumulativeSum: byRow((row, _, { fromEnd }) => {
    const sums = (numbers: Float64Array) => {
      let total = 0
      return numbers.map((value) => (total += value))
    }
    return fromEnd ? sums(row.toReversed()).toReversed() : sums(row)
  }),
  Exponential: unary(Math.exp),
  ExponentialMinusOne: unary(Math.expm1),
  Gather: gather,
  Gelu: unary((x) => x * normal(x)),
  GeluSlope: unary((x) => normal(x) + (x * Math.exp(-(x * x) / 2)) / Math.sqrt(2 * Math.PI)),
  InverseDeviation: byRow((row, _, { epsilon }) => [statisticsOf(row, epsilon as number).inverse]),
  InverseOrder: order((a, b) => a - b),
  LayerNorm: layerNorm,
  Linear: linear,
  LogSoftmax: byRow((row) => softmaxRow(row).map(Math.log)),
  MapToTokens: (inputs) => {
    const x = one(inputs)
    const [batch = 0, width = 0, rows = 0, columns = 0] = x.shape
    const flat = { shape: [batch, width, rows * columns], data: x.data }
    return transposed(flat, [0, 2, 1])
  },
  MatMul: matmul,
  Multiply: binary((a, b) => a * b),
  Pad: (inputs, { axis: along, before, after }) => {
    const [x, axis] = [one(inputs), along as number]
    const zeros = (length: unknown) => {
      const shape = x.shape.with(axis, length as number)
      return { shape, data: new Float64Array(count(shape)) }
    }
    return concat([zeros(before), x, zeros(after)], { axis }, {})
  },
  Counted: (inputs) => one(inputs),
  Pick: (inputs, { axis: along, numbers }) => {
    const [x, axis, places] = [one(inputs), along as number, numbers as number[]]
    const strides = stridesOf(x.shape)
    return picked(x, x.shape.with(axis, places.length), (index) =>
      flatPlace(index.with(axis, places[index[axis] ?? 0] ?? 0), strides),
    )
  },
  ReduceSum: reduceSum,
  Reshape: (inputs, { shape }, sizes) => ({
    shape: (shape as Dim[]).map((dim) => size(dim, sizes)),
    data: one(inputs).data,
  }),
  AddAt: addAt,
  ScatterAdd: scatterAdd,
  Slice: (inputs, { axis: along, start, end, step: every }, sizes) => {
    const x = one(inputs)
    const [axis, step] = [along as number, (every as number | undefined) ?? 1]
    const [from, to] = [size(start, sizes), size(end, sizes)]
    const strides = stridesOf(x.shape)
    return picked(x, x.shape.with(axis, Math.ceil((to - from) / step)), (index) =>
      flatPlace(index.with(axis, from + step * (index[axis] ?? 0)), strides),
    )
  },
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Sine: unary(Math.sin),
  Softmax: byRow(softmaxRow),
  Logarithm: unary(Math.log),
  SquareRoot: unary(Math.sqrt),
  Normalize: layerNorm,
  StopGradient: (inputs) => one(inputs),
  Subtract: binary((a, b) => a - b),
  Transpose: (inputs, { perm }) => transposed(one(inputs), perm as number[]),
}

/** What was computed for some leaves: the numbers of each tensor, and sizes that were counted. */
interface Evaluated {
  readonly known: ReadonlyMap<Tensor, Values>
  readonly bound: Bindings
}

/** @param before of the same tensors: what has the same inputs as there is not computed again */
function evaluated(
  tensors: readonly Tensor[],
  leaves: Readonly<Record<string, Values>>,
  { sizes, before }: { readonly sizes: Bindings; readonly before?: Evaluated },
): Evaluated {
  const known = new Map<Tensor, Values>()
  const bound: Record<string, number> = { ...sizes }
  let sizesAreSame = true
  for (const tensor of reachable(tensors)) {
    const { leaf, op, counts } = tensor
    if (leaf) {
      const numbers = leaves[leaf.name]
      if (numbers) known.set(tensor, numbers)
      continue
    }
    const inputs = tensor.inputs.map((input) => numbersOf(known, input))
    const earlier = before?.known.get(tensor)
    const isSame = tensor.inputs.every((input, i) => before?.known.get(input) === inputs[i])
    const rule = table[op]
    if (!rule) throw new Error(`the reference interpreter doesn't know the op ${op}`)
    const result = earlier && isSame && sizesAreSame ? earlier : rule(inputs, tensor.attributes, bound)
    if (counts) {
      bound[counts.size] = result.shape[counts.axis] ?? Number.NaN
      sizesAreSame &&= bound[counts.size] === before?.bound[counts.size]
    }
    const expected = tensor.shape.map((dim) => sizeOf(dim, bound))
    if (result.shape.join() !== expected.join() || result.data.length !== count(expected)) {
      throw new Error(`${op} in ${tensor.scope} says [${expected}] but gives [${result.shape}]`)
    }
    known.set(tensor, result)
  }
  return { known, bound }
}

function numbersOf(known: ReadonlyMap<Tensor, Values>, tensor: Tensor): Values {
  const found = known.get(tensor)
  if (!found) throw new Error(`no numbers for ${tensor.leaf ? tensor.leaf.name : tensor.op}`)
  return found
}

/**
 * The numbers of some tensors.
 * @param leaves numbers of inputs and parameters by name
 * @param sizes the run-time sizes, e.g. `{ batch: 2 }`
 */
export function evaluateTensors(
  tensors: readonly Tensor[],
  leaves: Readonly<Record<string, Values>>,
  sizes: Bindings = {},
): Values[] {
  const { known } = evaluated(tensors, leaves, { sizes })
  return tensors.map((tensor) => numbersOf(known, tensor))
}

/** As {@link evaluateTensors}, for leaves that change a few at a time: only what depends on them is computed again. */
export function evaluatorOf(
  tensors: readonly Tensor[],
  leaves: Readonly<Record<string, Values>>,
  sizes: Bindings = {},
): (changes: Readonly<Record<string, Values>>) => Values[] {
  const before = evaluated(tensors, leaves, { sizes })
  return (changes) => {
    const { known } = evaluated(tensors, { ...leaves, ...changes }, { sizes, before })
    return tensors.map((tensor) => numbersOf(known, tensor))
  }
}
