import { elements, type Shape, sameDim, sameShape, times } from '../dim.js'
import { cutRows, defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { sumTo } from './broadcasting.js'
import { int8Product } from './int8-product.js'
import { flatRows, matmul } from './matmul.js'

/**
 * Thin products lose more by rounding their operands than they gain: E-blocks less wide than this and predictors stay in
 * float32. B+T's E-blocks, 192 wide, don't.
 */
const thinnestInt8 = 128

function worthInt8(weight: Shape): boolean {
  return weight.every((size) => typeof size === 'number' && size >= thinnestInt8)
}

function isNarrowing([out, input]: Shape): boolean {
  return typeof out === 'number' && typeof input === 'number' && input > out
}

const linearOp = defineOp({
  name: 'Linear',
  shape: (inputs) => {
    const [x, weight, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    const [outWidth, inWidth] = weight.shape
    if (
      outWidth === undefined ||
      inWidth === undefined ||
      weight.shape.length !== 2 ||
      !sameDim(sizeAt(x, -1), inWidth) ||
      !sameShape(bias.shape, [outWidth])
    ) {
      throw shapeError('Linear', inputs, 'x [..., in], weight [out, in] and bias [out]')
    }
    return [...x.shape.slice(0, -1), outWidth]
  },
  cut: cutRows,
  cost: (inputs, output) => ({ linear: times(elements(output), sizeAt(operand(inputs, 0), -1)) }),
  gradient: (gradient, inputs) => {
    const [x, weight, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    const ofWeight = matmul(flatRows(gradient), flatRows(x), { transposeA: true })
    return [matmul(gradient, weight), ofWeight, sumTo(gradient, bias.shape)]
  },
  // One 2-D Gemm on flat rows, weights as stored ([out, in]): the fastest form that ONNX Runtime has.
  onnx: (lowering, inputs, { tensor }) => {
    const [x, weight, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    if (lowering.precision === 'int8' && worthInt8(weight.shape)) {
      // fc2 and its like, which read what no LayerNorm has evened out
      const perToken = isNarrowing(weight.shape)
      const product = int8Product(lowering, x, lowering.full(weight), lowering.full(bias), { perToken })
      return lowering.asRows(product, tensor.shape)
    }
    const operands = [lowering.rows(x), lowering.full(weight), lowering.full(bias)]
    return lowering.asRows(lowering.emit('Gemm', operands, { transB: 1 }), tensor.shape)
  },
})

/** `y = x·Wᵀ + b`. @param x `[..., in]` @param weight `[out, in]` @param bias `[out]` */
export function linear(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  return linearOp([x, weight, bias], {})
}
