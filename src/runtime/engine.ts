import type { Env, InferenceSession, InferenceSessionFactory } from 'onnxruntime-common'
import { Slots } from '../base/slots.js'
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

/**
 * A build for browsers does one thing at a time, whoever asks: it finds weights by their names in one table of all sessions that
 * are being opened, and that table is emptied when one of them is open, so sessions that open at once would get each other's
 * weights, without a complaint.
 */
const turns = new WeakMap<OrtModule, Slots>()

function turnsOf(ort: OrtModule): Slots {
  const known = turns.get(ort) ?? new Slots(1)
  turns.set(ort, known)
  return known
}

/** ONNX Runtime on the thread that calls it. Its runs block that thread until they are done. */
export function engineHere(ort: OrtModule): OrtEngine {
  const { web, node } = ort.env.versions
  if (node !== undefined) {
    return {
      version: node,
      open: async ({ model, options }) =>
        ortSession(ort, await ort.InferenceSession.create(model, options), { writesInto: true }),
      rest: async () => {},
    }
  }
  const slots = turnsOf(ort)
  return {
    version: web ?? '',
    open: async ({ model, options, wasmThreads = 0 }) => {
      const session = await slots.within(() => {
        ort.env.wasm.numThreads = wasmThreads
        return ort.InferenceSession.create(model, options)
      })
      return ortSession(ort, session, { writesInto: false, slots })
    },
    rest: async () => {},
  }
}
