import type { SessionRequest } from '../../engine.js'
import type { NamedTensors } from '../../runtime.js'

/** The builds of ONNX Runtime that run in Node. */
export type EngineModule = 'onnxruntime-node' | 'onnxruntime-web'

/** What the engine's thread is asked, and what it answers. Sessions go by the number that `open` gave them. */
export interface Questions {
  load: { ask: { module: EngineModule }; answer: { version: string } }
  /** See {@link openFirstSession}; of the native library. */
  openFirst: { ask: undefined; answer: undefined }
  open: { ask: SessionRequest; answer: { session: number } }
  run: { ask: { session: number; inputs: NamedTensors }; answer: NamedTensors }
  endProfile: { ask: { session: number }; answer: undefined }
  dispose: { ask: { session: number }; answer: undefined }
}
