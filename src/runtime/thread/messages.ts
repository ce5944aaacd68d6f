import type { SessionRequest } from '../engine.js'
import type { NamedTensors } from '../runtime.js'

/** The builds of ONNX Runtime that run in Node. */
export type EngineModule = 'onnxruntime-node' | 'onnxruntime-web'

/** What the engine's thread is asked, and what it answers. Sessions go by the number that `open` gave them. */
export interface Questions {
  load: { ask: { module: EngineModule }; answer: { version: string } }
  open: { ask: SessionRequest; answer: { session: number } }
  /** The memory of the inputs goes there and comes back. */
  run: {
    ask: { session: number; inputs: NamedTensors }
    answer: { outputs: NamedTensors; memory: readonly ArrayBuffer[] }
  }
  endProfile: { ask: { session: number }; answer: undefined }
  dispose: { ask: { session: number }; answer: undefined }
}

/** What can change hands between the threads instead of being copied. */
export function memoryOf(tensors: NamedTensors): ArrayBuffer[] {
  const buffers = new Set(Object.values(tensors).map(({ values }) => values.buffer))
  return [...buffers].filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer)
}
