import type { Env, InferenceSession, InferenceSessionFactory } from 'onnxruntime-common'
import { type OrtApi, ortSession } from './ort-session.js'
import type { Session } from './runtime.js'

/** A model as ONNX bytes, and how to open it: nothing in it is tied to a thread. */
export interface SessionRequest {
  readonly model: Uint8Array
  readonly options: InferenceSession.SessionOptions
  /** Of the WebAssembly build; 0: as many as it thinks good. */
  readonly wasmThreads?: number | undefined
}

/** A build of ONNX Runtime, loaded somewhere. */
export interface OrtEngine {
  readonly version: string
  /** @throws Error of the engine */
  open(request: SessionRequest): Promise<Session>
  /** Frees what is held while no session is open. The next `open` starts anew. */
  rest(): Promise<void>
}

/** What onnxruntime-node and onnxruntime-web export. */
export type OrtModule = OrtApi & { readonly env: Env; readonly InferenceSession: InferenceSessionFactory }

/** ONNX Runtime on the thread that calls it. Its runs block that thread until they are done. */
export function engineHere(ort: OrtModule): OrtEngine {
  const { web, node } = ort.env.versions
  return {
    version: node ?? web ?? '',
    open: async ({ model, options, wasmThreads = 0 }) => {
      if (node === undefined) ort.env.wasm.numThreads = wasmThreads
      const session = await ort.InferenceSession.create(model, options)
      return ortSession(ort, session, { writesInto: node !== undefined })
    },
    rest: async () => {},
  }
}
