import { BlvitError, messageOf } from '../base/blvit-error.js'
import { graphOf } from '../graph/graph.js'
import { toOnnx } from '../graph/onnx/write.js'
import { input, scaleShift } from '../graph/ops/index.js'
import type { OrtEngine, SessionRequest } from './engine.js'
import { never } from './precision.js'

/** @param where `"This browser's"`, `"This machine's"` */
export function noHalfFloats(where: string, cause?: unknown): BlvitError {
  return new BlvitError(
    'UNSUPPORTED',
    `${where} WebGPU adapter computes no float16 (it lacks the feature shader-f16), ${never}. ` +
      'Use --dtype fp32, or --device cpu with --dtype int8.',
    {},
    { cause },
  )
}

/**
 * Doubles a number in float16 through WebGPU: where nobody tells an adapter's features, that is how to ask.
 * @throws BlvitError `UNSUPPORTED` if the adapter can't; else Error of the engine
 */
export async function assertHalfFloats(
  { open }: Pick<OrtEngine, 'open'>,
  options: SessionRequest['options'],
): Promise<void> {
  const graph = graphOf('float16', { y: scaleShift(input('x', [1]), { scale: 2 }) })
  const storageOf = () => 'fed' as const
  const model = toOnnx(graph, { target: 'webgpu', precision: 'fp16', storageOf })
  try {
    await using session = await open({ model, options })
    await session.run({ x: { dtype: 'float32', shape: [1], values: Float32Array.of(1) } })
  } catch (thrown) {
    if (/requires f16/.test(messageOf(thrown))) throw noHalfFloats("This machine's", thrown)
    throw thrown
  }
}
