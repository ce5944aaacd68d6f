/** Row-major arrays in float64 and the loops over them that the interpreter of `evaluate.ts` is made of. */
import { type Bindings, type Dim, evaluate as sizeOf } from '../../../src/graph/dim.js'

/** Row-major numbers; indices are numbers too. */
export interface Values {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

export type Attributes = Readonly<Record<string, unknown>>
export type Evaluate = (inputs: readonly Values[], attributes: Attributes, sizes: Bindings) => Values

export const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

export function one(inputs: readonly Values[], index = 0): Values {
  const found = inputs[index]
  if (!found) throw new Error(`operand ${index} is missing`)
  return found
}

export function size(dim: unknown, sizes: Bindings): number {
  return sizeOf(dim as Dim, sizes)
}

/** Row-major steps between neighbours along each axis. */
export function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => count(shape.slice(axis + 1)))
}

/** Calls back with each index of a shape, the last axis fastest. The index array is reused. */
export function forEachIndex(shape: readonly number[], visit: (index: number[], flat: number) => void): void {
  const index = shape.map(() => 0)
  const total = count(shape)
  for (let flat = 0; flat < total; flat++) {
    visit(index, flat)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break
      index[axis] = 0
    }
  }
}

/** The flat place of an index, counted from the last axis; sizes of 1 are repeated. */
export function placeOf(
  index: readonly number[],
  shape: readonly number[],
  strides: readonly number[],
): number {
  const skipped = index.length - shape.length
  let place = 0
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] !== 1) place += (index[axis + skipped] ?? 0) * (strides[axis] ?? 0)
  }
  return place
}

export const unary =
  (apply: (x: number, attributes: Attributes) => number): Evaluate =>
  (inputs, attributes) => {
    const x = one(inputs)
    return { shape: x.shape, data: x.data.map((value) => apply(value, attributes)) }
  }

export const binary =
  (apply: (a: number, b: number) => number): Evaluate =>
  (inputs) => {
    const [a, b] = [one(inputs), one(inputs, 1)]
    if (a.shape.length === b.shape.length && a.shape.every((length, axis) => length === b.shape[axis]))
      return { shape: a.shape, data: a.data.map((left, i) => apply(left, b.data[i] ?? Number.NaN)) }
    const rank = Math.max(a.shape.length, b.shape.length)
    const shape = Array.from({ length: rank }, (_, axis) => {
      const [left, right] = [a, b].map((x) => x.shape[axis - rank + x.shape.length] ?? 1)
      return left === 1 ? (right ?? 1) : (left ?? 1)
    })
    const data = new Float64Array(count(shape))
    const [aStrides, bStrides] = [stridesOf(a.shape), stridesOf(b.shape)]
    forEachIndex(shape, (index, flat) => {
      const left = a.data[placeOf(index, a.shape, aStrides)] ?? Number.NaN
      data[flat] = apply(left, b.data[placeOf(index, b.shape, bStrides)] ?? Number.NaN)
    })
    return { shape, data }
  }

/** Works on each row of the last axis. */
export const byRow =
  (
    apply: (row: Float64Array, inputs: readonly Values[], attributes: Attributes) => ArrayLike<number>,
  ): Evaluate =>
  (inputs, attributes) => {
    const x = one(inputs)
    const width = x.shape.at(-1) ?? 1
    const rows = Array.from({ length: x.data.length / width }, (_, i) =>
      apply(x.data.subarray(i * width, (i + 1) * width), inputs, attributes),
    )
    const outWidth = rows[0]?.length ?? width
    const data = new Float64Array(rows.length * outWidth)
    for (const [i, row] of rows.entries()) data.set(row, i * outWidth)
    return { shape: x.shape.with(-1, outWidth), data }
  }

/** A tensor of which element `flat`, at `index`, is element `from(index)` of `x`. */
export function picked(
  x: Values,
  shape: readonly number[],
  from: (index: readonly number[]) => number,
): Values {
  const data = new Float64Array(count(shape))
  forEachIndex(shape, (index, flat) => {
    data[flat] = x.data[from(index)] ?? Number.NaN
  })
  return { shape, data }
}

export const flatPlace = (index: readonly number[], strides: readonly number[]) =>
  index.reduce((place, i, axis) => place + i * (strides[axis] ?? 0), 0)
