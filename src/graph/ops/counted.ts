import type { Dim } from '../dim.js'
import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'

const countedOp = defineOp<{ thopExcess: Dim }>({
  name: 'Counted',
  shape: (inputs) => operand(inputs, 0).shape,
  cost: (_inputs, _output, { thopExcess }) => ({ thopExcess }),
  gradient: (gradient) => [gradient],
  onnx: (_, inputs) => operand(inputs, 0),
})

/** The tensor itself, with work that papers count here though it isn't done: see `conventions.thop`. */
export function counted(x: Tensor, { thopExcess }: { thopExcess: Dim }): Tensor {
  return countedOp([x], { thopExcess })
}
