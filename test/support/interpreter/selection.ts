/** What ops mean that compare, choose and order. */
import {
  binary,
  byRow,
  count,
  type Evaluate,
  forEachIndex,
  one,
  placeOf,
  size,
  stridesOf,
  type Values,
} from './arrays.js'

/** The first of the largest. */
function indexOfLargest(row: Float64Array): number {
  let found = 0
  row.forEach((value, i) => {
    if (value > (row[found] ?? Number.NaN)) found = i
  })
  return found
}

const withoutLastAxis = ({ shape, data }: Values): Values => ({ shape: shape.slice(0, -1), data })

const rowArgmax = byRow((row) => [indexOfLargest(row)])

const where: Evaluate = (inputs) => {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length))
  const shape = Array.from({ length: rank }, (_, axis) =>
    Math.max(...inputs.map((x) => x.shape[axis - rank + x.shape.length] ?? 1)),
  )
  const data = new Float64Array(count(shape))
  forEachIndex(shape, (index, flat) => {
    const [condition, a, b] = inputs.map((x) => x.data[placeOf(index, x.shape, stridesOf(x.shape))])
    data[flat] = (condition === 1 ? a : b) ?? Number.NaN
  })
  return { shape, data }
}

export const selectionOps: Readonly<Record<string, Evaluate>> = {
  Argmax: (inputs, attributes, sizes) => withoutLastAxis(rowArgmax(inputs, attributes, sizes)),
  Compact: (inputs) => {
    const [x, mask] = [one(inputs), one(inputs, 1)]
    const width = count(x.shape.slice(1))
    const rows = Array.from(mask.data.keys()).filter((row) => (mask.data[row] ?? 0) > 0)
    const data = rows.flatMap((row) => Array.from(x.data.subarray(row * width, (row + 1) * width)))
    return { shape: [rows.length, ...x.shape.slice(1)], data: Float64Array.from(data) }
  },
  Equal: binary((a, b) => Number(a === b)),
  Greater: binary((a, b) => Number(a > b)),
  Less: binary((a, b) => Number(a < b)),
  OneHot: (inputs, { classes: dim }, sizes) => {
    const x = one(inputs)
    const classes = size(dim, sizes)
    const data = new Float64Array(x.data.length * classes)
    x.data.forEach((index, i) => {
      data[i * classes + index] = 1
    })
    return { shape: [...x.shape, classes], data }
  },
  ReduceMax: byRow((row) => [row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)]),
  ScatterRows: (inputs) => {
    const [x, mask] = [one(inputs), one(inputs, 1)]
    const width = count(x.shape.slice(1))
    const data = new Float64Array(mask.data.length * width)
    let taken = 0
    mask.data.forEach((value, row) => {
      if (value > 0) data.set(x.data.subarray(taken * width, ++taken * width), row * width)
    })
    return { shape: [mask.data.length, ...x.shape.slice(1)], data }
  },
  Sort: byRow((row) => row.toSorted((a, b) => a - b)),
  Table: (_, { values, shape }) => ({
    shape: shape as number[],
    data: Float64Array.from(values as number[]),
  }),
  Where: where,
}
