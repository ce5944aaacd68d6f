import type { ErrorCode } from '../../errors/blvit-error.js'
import type { SessionRequest } from '../engine.js'
import type { NamedTensors } from '../runtime.js'

/** The builds of ONNX Runtime that run in Node. */
export type EngineModule = 'onnxruntime-node' | 'onnxruntime-web'

/** What the engine's thread is asked, and what it answers. Sessions go by the number that `open` gave them. */
export interface Questions {
  load: { ask: { module: EngineModule }; answer: { version: string } }
  open: { ask: SessionRequest; answer: { session: number } }
  run: { ask: { session: number; inputs: NamedTensors }; answer: NamedTensors }
  endProfile: { ask: { session: number }; answer: undefined }
  dispose: { ask: { session: number }; answer: undefined }
}

export type Question = keyof Questions

/** A question's number comes back with its answer. */
export interface Request<Q extends Question = Question> {
  readonly number: number
  readonly question: Q
  readonly ask: Questions[Q]['ask']
}

export type Response =
  | { readonly number: number; readonly answer: unknown }
  | { readonly number: number; readonly error: { readonly message: string; readonly code?: ErrorCode } }
