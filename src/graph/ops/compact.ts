import { BlvitError } from '../../base/blvit-error.js'
import { sameDim, symbol } from '../dim.js'
import type { Lowering, Value } from '../lowering.js'
import { defineOp, operand, shapeError } from '../op.js'
import { scopedName } from '../scope.js'
import { sizeAt, type Tensor } from '../tensor.js'

/** Where a mask is above 0, as the engine's truth values. */
function isKept(lowering: Lowering, mask: Value): string {
  return lowering.emit('Greater', [lowering.full(mask), lowering.floats([0], [])])
}

/** Puts rows back where compact took them from; the others are 0. */
const scatterRowsOp = defineOp({
  name: 'ScatterRows',
  shape: (inputs) => [sizeAt(operand(inputs, 1), 0), ...operand(inputs, 0).shape.slice(1)],
  onnx: (lowering, inputs, { tensor }) => {
    const places = lowering.emit('NonZero', [isKept(lowering, operand(inputs, 1))]) // [1, kept]
    const nothing = lowering.emit('Expand', [lowering.floats([0]), lowering.shape(tensor.shape)])
    const scattered = lowering.emit('ScatterND', [
      nothing,
      lowering.emit('Transpose', [places], { perm: [1, 0] }),
      lowering.full(operand(inputs, 0)),
    ])
    return lowering.asFull(scattered, tensor.shape)
  },
})

const compactOp = defineOp<{ size: string }>({
  name: 'Compact',
  shape: (inputs, { size }) => {
    const [x, mask] = [operand(inputs, 0), operand(inputs, 1)]
    const fits = x.shape.length >= 1 && mask.shape.length === 1 && mask.dtype === 'float32'
    if (!fits || !sameDim(sizeAt(x, 0), sizeAt(mask, 0))) {
      throw shapeError('Compact', inputs, 'x [rows, ...] and a float32 mask [rows]')
    }
    return [symbol(size), ...x.shape.slice(1)]
  },
  counts: (inputs, { size }) => ({ size, axis: 0, most: sizeAt(operand(inputs, 0), 0) }),
  gradient: (gradient, inputs) => [scatterRowsOp([gradient, operand(inputs, 1)], {}), undefined],
  onnx: (lowering, inputs, { tensor, attributes: { size } }) => {
    if (lowering.target === 'webgpu') {
      throw new BlvitError(
        'UNSUPPORTED',
        `How many rows ${tensor.scope || 'the graph'} keeps (${size}) is decided by each picture, but on WebGPU all sizes ` +
          'must be known when a graph is loaded. Run this model on the processor (device cpu or wasm).',
        { scope: tensor.scope, size },
      )
    }
    const operands = [lowering.full(operand(inputs, 0)), isKept(lowering, operand(inputs, 1))]
    const kept = lowering.emit('Compress', operands, { axis: 0 })
    return lowering.asFull(kept, tensor.shape)
  },
})

/**
 * The rows where the mask is above 0, in their order, so that what follows computes nothing for the others. How many
 * they are is a size of the graph that only a run tells; shapes and costs mention it by its name. A cost is told by
 * giving the name a number, e.g. the mean over a data set (exact where the cost is linear in it; of a square, as in
 * attention, the mean of counts tells less than the mean of squares). The gradient goes to the rows that are kept, and none
 * to the mask.
 * @param x `[rows, ...]`; several pictures are rows one after the other @param mask `[rows]`
 * @param options `size`: a name for the count, inside the current scope: in `scope('blocks.3')`, `kept` is `blocks.3.kept`
 * @returns `[blocks.3.kept, ...]`
 */
export function compact(x: Tensor, mask: Tensor, { size }: { size: string }): Tensor {
  return compactOp([x, mask], { size: scopedName(size) })
}
