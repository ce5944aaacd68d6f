import {
  type Dim,
  elements,
  formatShape,
  isNeverNegative,
  minus,
  plus,
  type Shape,
  sameDim,
  times,
} from '../dim.js'
import { defineOp, operand, shapeError } from '../op.js'
import { axisOf, sizeAt, type Tensor } from '../tensor.js'
import { constant } from './constants.js'

/** False where the numbers that are known already show that `[start, end)` isn't inside the axis. */
function isInside(size: Dim, start: Dim, end: Dim): boolean {
  return [start, minus(end, start), minus(size, end)].every((room) => typeof room !== 'number' || room >= 0)
}

interface SliceAttributes extends Record<string, unknown> {
  readonly axis: number
  readonly start: Dim
  readonly end: Dim
  /** Absent: 1. */
  readonly step?: number
}

/** How many of `[start, end)` a step takes; the size of every second of a symbolic number is no polynomial. */
function stepsIn(start: Dim, end: Dim, step: number): number | undefined {
  const length = minus(end, start)
  return typeof length === 'number' ? Math.ceil(length / step) : undefined
}

/** Zeros between the elements along an axis, and after the last: `step − 1` of them each. */
function spreadOut(x: Tensor, axis: number, step: number): Tensor {
  const [before, count, after] = [x.shape.slice(0, axis), sizeAt(x, axis), x.shape.slice(axis + 1)]
  const elementwise = reshape(x, [...before, count, 1, ...after])
  const spread = concat([elementwise, constant(0, [...before, count, step - 1, ...after])], {
    axis: axis + 1,
  })
  return reshape(spread, [...before, times(count, step), ...after])
}

const sliceOp = defineOp<SliceAttributes>({
  name: 'Slice',
  shape: (inputs, { axis, start, end, step = 1 }) => {
    const x = operand(inputs, 0)
    if (!isInside(sizeAt(x, axis), start, end)) {
      throw shapeError('Slice', inputs, `[${start}, ${end}) to lie inside axis ${axis}`)
    }
    const size = step === 1 ? minus(end, start) : stepsIn(start, end, step)
    if (size === undefined || !(Number.isInteger(step) && step >= 1)) {
      throw shapeError(
        'Slice',
        inputs,
        `a known number of elements for a whole step, not [${start}, ${end}) by ${step}`,
      )
    }
    return x.shape.map((dim, i) => (i === axis ? size : dim))
  },
  takes: ({ axis, start, end, step = 1 }) => (step === 1 ? { axis, start, end } : undefined),
  cut: (part, _, { attributes: { axis, start, step = 1 } }) => {
    if (part.axis !== axis) return { parts: [part] }
    if (step !== 1) return undefined
    return { input: 0, part: { axis, start: plus(start, part.start), end: plus(start, part.end) } }
  },
  gradient: (gradient, _, { attributes: { axis, start, end, step = 1 } }) => {
    if (step === 1) return [{ gradient, axis, start, end }]
    const whole = slice(spreadOut(gradient, axis, step), { axis, end: minus(end, start) })
    return [{ gradient: whole, axis, start, end }]
  },
  onnx: (lowering, inputs, { tensor, attributes: { axis, start, end, step } }) => {
    const x = operand(inputs, 0)
    if (
      x.parameter &&
      axis === 0 &&
      step === undefined &&
      typeof start === 'number' &&
      typeof end === 'number'
    ) {
      return lowering.parameterRows(x.parameter, start, end)
    }
    const operands = [lowering.full(x), lowering.size(start), lowering.size(end), lowering.integers([axis])]
    if (step !== undefined) operands.push(lowering.integers([step]))
    return lowering.asFull(lowering.emit('Slice', operands), tensor.shape)
  },
})

interface SliceOptions {
  /** A negative one counts from the last. */
  readonly axis: number
  /** Default 0. */
  readonly start?: Dim
  /** Default: the axis' size. */
  readonly end?: Dim
  /** Every how many elements one is taken; above 1 the length must be known when the graph is built. Default 1. */
  readonly step?: number
}

/** The part `[start, end)` along an axis. */
export function slice(x: Tensor, { axis, start = 0, end, step = 1 }: SliceOptions): Tensor {
  const range = { axis: axisOf(x, axis), start, end: end ?? sizeAt(x, axis) }
  return sliceOp([x], step === 1 ? range : { ...range, step })
}

const concatOp = defineOp<{ axis: number }>({
  name: 'Concat',
  shape: (inputs, { axis }) => {
    const [first, ...rest] = inputs
    if (!first) throw shapeError('Concat', inputs, 'at least one operand')
    for (const other of rest) {
      const fits =
        other.shape.length === first.shape.length &&
        other.shape.every((dim, i) => i === axis || sameDim(dim, first.shape[i] ?? -1))
      if (!fits) throw shapeError('Concat', inputs, `equal shapes but along axis ${axis}`)
    }
    return first.shape.map((dim, i) =>
      i === axis ? inputs.map((x) => sizeAt(x, axis)).reduce(plus, 0) : dim,
    )
  },
  cut: (part, inputs, { attributes: { axis } }) => {
    if (part.axis !== axis) return { parts: inputs.map(() => part) }
    let before: Dim = 0
    for (const [input, x] of inputs.entries()) {
      const [start, end] = [minus(part.start, before), minus(part.end, before)]
      const room = [start, minus(sizeAt(x, axis), end)]
      if (room.every(isNeverNegative)) return { input, part: { axis, start, end } }
      before = plus(before, sizeAt(x, axis))
    }
    return undefined
  },
  gradient: (gradient, inputs, { attributes: { axis } }) => {
    let start: Dim = 0
    return inputs.map((x) => {
      const end = plus(start, sizeAt(x, axis))
      const part = slice(gradient, { axis, start, end })
      start = end
      return part
    })
  },
  onnx: (lowering, inputs, { tensor, attributes: { axis } }) => {
    const operands = inputs.map((input) => lowering.full(input))
    return lowering.asFull(lowering.emit('Concat', operands, { axis }), tensor.shape)
  },
})

/** Tensors one after the other along an axis; a negative axis counts from the last. One alone is itself. */
export function concat(tensors: readonly Tensor[], { axis }: { axis: number }): Tensor {
  const [first] = tensors
  if (first && tensors.length === 1) return first
  return concatOp(tensors, { axis: first ? axisOf(first, axis) : axis })
}

const reshapeOp = defineOp<{ shape: Shape }>({
  name: 'Reshape',
  shape: (inputs, { shape }) => {
    if (!sameDim(elements(operand(inputs, 0).shape), elements(shape))) {
      throw shapeError('Reshape', inputs, `as many elements as ${formatShape(shape)}`)
    }
    return shape
  },
  gradient: (gradient, inputs) => [reshape(gradient, operand(inputs, 0).shape)],
  onnx: (lowering, inputs, { tensor }) => {
    const x = operand(inputs, 0)
    // flat rows are a form that the value may already have
    const isRows =
      tensor.shape.length === 2 && x.shape.length > 2 && sameDim(sizeAt(tensor, 1), x.shape.at(-1) ?? 1)
    if (isRows) return lowering.asFull(lowering.rows(x), tensor.shape)
    return lowering.asFull(lowering.reshape(x.rows ?? lowering.full(x), tensor.shape), tensor.shape)
  },
})

/** The same elements under another shape. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  return reshapeOp([x], { shape })
}

interface PadOptions extends Record<string, unknown> {
  /** A negative one counts from the last. */
  readonly axis: number
  /** Zeros before the first element. Default 0. */
  readonly before?: number
  /** Zeros after the last. Default 0. */
  readonly after?: number
}

const padOp = defineOp<Required<PadOptions>>({
  name: 'Pad',
  shape: (inputs, { axis, before, after }) => {
    if (![before, after].every((count) => Number.isInteger(count) && count >= 0)) {
      throw shapeError('Pad', inputs, `a whole number of zeros, not ${before} before and ${after} after`)
    }
    return operand(inputs, 0).shape.map((dim, i) => (i === axis ? plus(dim, before + after) : dim))
  },
  gradient: (gradient, inputs, { attributes: { axis, before } }) => [
    slice(gradient, { axis, start: before, end: plus(sizeAt(operand(inputs, 0), axis), before) }),
  ],
  onnx: (lowering, inputs, { tensor, attributes: { axis, before, after } }) => {
    const rank = tensor.shape.length
    const pads = Array.from({ length: 2 * rank }, (_, i) =>
      i === axis ? before : i === rank + axis ? after : 0,
    )
    const padded = lowering.emit('Pad', [lowering.full(operand(inputs, 0)), lowering.integers(pads)])
    return lowering.asFull(padded, tensor.shape)
  },
})

/** Puts zeros before and after what is along an axis. */
export function pad(x: Tensor, { axis, before = 0, after = 0 }: PadOptions): Tensor {
  return before === 0 && after === 0 ? x : padOp([x], { axis: axisOf(x, axis), before, after })
}

/** Puts `count` zeros before axis 1, e.g. before the tokens of each picture. */
export function padStart(x: Tensor, { count }: { count: number }): Tensor {
  return pad(x, { axis: 1, before: count })
}

const transposeOp = defineOp<{ perm: readonly number[] }>({
  name: 'Transpose',
  shape: (inputs, { perm }) => {
    const { shape } = operand(inputs, 0)
    const axes = [...perm].sort((a, b) => a - b)
    if (axes.length !== shape.length || axes.some((axis, i) => axis !== i)) {
      throw shapeError('Transpose', inputs, `${perm.length} axes, as many as [${perm}] puts into order`)
    }
    return perm.map((axis) => shape[axis] ?? 1)
  },
  gradient: (gradient, _, { attributes: { perm } }) => [
    transpose(
      gradient,
      perm.map((_, axis) => perm.indexOf(axis)),
    ),
  ],
  onnx: (lowering, inputs, { tensor, attributes: { perm } }) =>
    lowering.asFull(lowering.emit('Transpose', [lowering.full(operand(inputs, 0))], { perm }), tensor.shape),
})

/** The axes in another order: axis `i` of the result is axis `perm[i]` of `x`. */
export function transpose(x: Tensor, perm: readonly number[]): Tensor {
  return transposeOp([x], { perm })
}
