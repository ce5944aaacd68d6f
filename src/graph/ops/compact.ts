import { BlvitError } from '../../base/blvit-error.js'
import { sameDim, symbol } from '../dim.js'
import { defineOp, operand, shapeError } from '../op.js'
import { scopedName } from '../scope.js'
import { sizeAt, type Tensor } from '../tensor.js'

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
  onnx: (lowering, inputs, { tensor, attributes: { size } }) => {
    if (lowering.target === 'webgpu') {
      throw new BlvitError(
        'UNSUPPORTED',
        `How many rows ${tensor.scope || 'the graph'} keeps (${size}) is decided by each picture, but on WebGPU all sizes ` +
          'must be known when a graph is loaded. Run this model on the processor (device cpu or wasm).',
        { scope: tensor.scope, size },
      )
    }
    const zero = lowering.floats([0], [])
    const condition = lowering.emit('Greater', [lowering.full(operand(inputs, 1)), zero])
    const kept = lowering.emit('Compress', [lowering.full(operand(inputs, 0)), condition], { axis: 0 })
    return lowering.asFull(kept, tensor.shape)
  },
})

/**
 * The rows where the mask is above 0, in their order, so that what follows computes nothing for the others. How many
 * they are is a size of the graph that only a run tells; shapes and costs mention it by its name. A cost is told by
 * giving the name a number, e.g. the mean over a data set (exact where the cost is linear in it; of a square, as in
 * attention, the mean of counts tells less than the mean of squares).
 * @param x `[rows, ...]`; several pictures are rows one after the other @param mask `[rows]`
 * @param options `size`: a name for the count, inside the current scope: in `scope('blocks.3')`, `kept` is `blocks.3.kept`
 * @returns `[blocks.3.kept, ...]`
 */
export function compact(x: Tensor, mask: Tensor, { size }: { size: string }): Tensor {
  return compactOp([x, mask], { size: scopedName(size) })
}
