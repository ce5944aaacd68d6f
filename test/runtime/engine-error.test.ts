import { describe, expect, test } from 'vitest'
import { BlvitError } from '../../src/base/blvit-error.js'
import { engineError } from '../../src/runtime/engine-error.js'

// As ONNX Runtime 1.30 words them.
const signature =
  'onnxruntime::OptimizerExecutionFrame::Info::Info(const std::vector<const onnxruntime::Node*>&, const onnxruntime::IExecutionProvider&, const std::function<bool(const std::__cxx11::basic_string<char>&)>&, const onnxruntime::logging::Logger&)'
const complaints: readonly (readonly [raw: string, told: string])[] = [
  [
    `Exception during initialization: /onnxruntime_src/onnxruntime/core/optimizer/optimizer_execution_frame.cc:74 ${signature} [ONNXRuntimeError] : 1 : FAIL : tensorprotoutils.cc:1763 GetExtDataFromTensorProto External initializer: head.bias offset: 11446392 size to read: 2000 given file_length: 1000000 are out of bounds or can not be read in full.\n`,
    'the file of the weights was moved, cut or replaced meanwhile. Load the model again.',
  ],
  [
    "Non-zero status code returned while running Add node. Name:'blocks.0/add' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:359 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 1205862400\n",
    'there is not enough memory. Give it fewer pictures at once, a smaller model, or fewer threads.',
  ],
  [
    'std::bad_alloc',
    'there is not enough memory. Give it fewer pictures at once, a smaller model, or fewer threads.',
  ],
  [
    "Non-zero status code returned while running Reshape node. Name:'x/reshape' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:47 onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, onnxruntime::TensorShapeVector&, bool) input_shape_size == size was false. The input tensor cannot be reshaped to the requested shape. Input shape:{2,3}, requested shape:{4,2}\n",
    'input_shape_size == size was false. The input tensor cannot be reshaped to the requested shape. Input shape:{2,3}, requested shape:{4,2}',
  ],
  ['the plain truth\n in two lines', 'the plain truth in two lines'],
]

describe('a complaint of the engine', () => {
  test.each(complaints)('%.60s', (raw, told) => {
    const error = engineError('running the model', new Error(raw))
    expect(error).toMatchObject({
      code: 'ENGINE',
      message: `ONNX Runtime failed while running the model: ${told}`,
    })
    expect((error.cause as Error).message).toBe(raw)
  })

  test('of blvit’s own stays what it is', () => {
    const own = new BlvitError('UNSUPPORTED', 'no')
    expect(engineError('loading', own)).toBe(own)
  })
})
