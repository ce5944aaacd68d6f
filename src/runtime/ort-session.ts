import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-common'
import { BlvitError } from '../base/blvit-error.js'
import type { Slots } from '../base/slots.js'
import { engineError } from './engine-error.js'
import { checkFeeds } from './feeds.js'
import type { NamedTensors, Session, TensorData } from './runtime.js'

/** The part of ONNX Runtime's JavaScript API that its native and its web build share. */
export interface OrtApi {
  readonly Tensor: TensorConstructor
}

function toOrt(api: OrtApi, { dtype, values, shape }: TensorData): OrtTensor {
  return dtype === 'float32'
    ? new api.Tensor('float32', values, shape)
    : new api.Tensor('int64', values, shape)
}

function fromOrt(name: string, tensor: OrtTensor): TensorData {
  const shape = tensor.dims
  if (tensor.data instanceof Float32Array) return { dtype: 'float32', shape, values: tensor.data }
  if (tensor.data instanceof BigInt64Array) return { dtype: 'int64', shape, values: tensor.data }
  throw new BlvitError('ENGINE', `The output "${name}" is ${tensor.type}; blvit reads float32 and int64.`)
}

function fromOutputs(outputs: Readonly<Record<string, OrtTensor>>): NamedTensors {
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, fromOrt(name, tensor)]))
}

/**
 * Wraps an ONNX Runtime session, native or web.
 * @param options `writesInto`: the engine writes outputs into memory that it is given; `slots`: those of an engine that does
 *   only so many things at once
 */
export function ortSession(
  api: OrtApi,
  session: InferenceSession,
  { writesInto, slots }: { readonly writesInto: boolean; readonly slots?: Slots },
): Session {
  const inTurn = <Result>(work: () => Promise<Result>) => (slots ? slots.within(work) : work())
  let disposed = false
  const dispose = async () => {
    if (disposed) return
    disposed = true
    await inTurn(() => session.release())
  }
  const run: Session['run'] = async (inputs, { into = {} } = {}) => {
    if (disposed) throw new BlvitError('ENGINE', 'This model was disposed. Load it again to use it.')
    checkFeeds(session.inputMetadata, inputs)
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, data]) => [name, toOrt(api, data)]))
    try {
      if (!writesInto || Object.keys(into).length === 0) {
        return fromOutputs(await inTurn(() => session.run(feeds)))
      }
      const fetches = session.outputNames.map((name) => [name, into[name] ? toOrt(api, into[name]) : null])
      // The engine writes in place and returns copies of it: those are left to the garbage collector.
      const outputs = await session.run(feeds, Object.fromEntries(fetches))
      const others = Object.entries(outputs).filter(([name]) => into[name] === undefined)
      return { ...into, ...fromOutputs(Object.fromEntries(others)) }
    } catch (thrown) {
      throw engineError('running the model', thrown)
    }
  }
  const endProfile = async () => session.endProfiling()
  return { run, endProfile, dispose, [Symbol.asyncDispose]: dispose }
}
