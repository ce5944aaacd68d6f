import type { InferenceSessionFactory } from 'onnxruntime-common'

/** An ONNX model of one node, `y = Identity(x)`, float32 `[1]`, opset 17; the tests read it by ONNX's own schema. */
export const smallestModel = Uint8Array.of(
  ...[8, 8, 58, 55, 10, 16, 10, 1, 120, 18, 1, 121, 34, 8, 73, 100, 101, 110, 116, 105, 116, 121, 18, 1, 103],
  ...[90, 15, 10, 1, 120, 18, 10, 10, 8, 8, 1, 18, 4, 10, 2, 8, 1],
  ...[98, 15, 10, 1, 121, 18, 10, 10, 8, 8, 1, 18, 4, 10, 2, 8, 1],
  ...[66, 2, 16, 17],
)

/**
 * Opens and closes a session: the first of a process registers all operators and kernels of ONNX Runtime's native
 * library, 24 ms that a thread has time for while its first model is still being read.
 */
export async function openFirstSession(factory: InferenceSessionFactory): Promise<void> {
  const session = await factory.create(smallestModel, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  })
  await session.release()
}
