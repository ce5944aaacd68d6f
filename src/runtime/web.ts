import type { Graph } from '../graph/graph.js'
import { toOnnx } from '../graph/onnx/write.js'
import type { ByteSource, StoredTensors } from '../weights/stored-tensor.js'
import { checkDevice, checkThreads } from './device.js'
import { engineHere, type OrtEngine } from './engine.js'
import { engineError } from './engine-error.js'
import { noHalfFloats } from './half-floats.js'
import { placeWeights } from './place-weights.js'
import { assertPrecision } from './precision.js'
import type { LoadOptions, Runtime, Session } from './runtime.js'
import { findAdapter, noAdapter, onGpuAlone } from './webgpu.js'

/** The builds of ONNX Runtime for browsers; only the first also runs in Node. */
const builds = {
  wasm: { load: () => import('onnxruntime-web'), words: 'WebAssembly' },
  webgpu: { load: () => import('onnxruntime-web/webgpu'), words: 'WebGPU' },
}

const webDevices = ['wasm', 'webgpu'] as const

/** What is read whole for one graph of a model is there for its next one, as long as the model is. */
const wholes = new WeakMap<ByteSource, Promise<Uint8Array>>()

function wholeOf(source: ByteSource): Promise<Uint8Array> {
  const known = wholes.get(source)
  if (known) return known
  const reading = source.read(0, source.sizeBytes)
  wholes.set(source, reading)
  // what failed once may go well the next time
  reading.catch(() => wholes.delete(source))
  return reading
}

/**
 * ONNX Runtime's WebAssembly build, in the browser and, as the fallback, in Node; in the browser also WebGPU.
 * @param options `engine`: the WebAssembly build where it is loaded already; default: loaded on the calling thread
 * @throws BlvitError `BAD_OPTION` for another device, `ENGINE` for `webgpu` where there is no adapter
 */
export async function webRuntime({
  device = 'wasm',
  engine,
}: {
  device?: (typeof webDevices)[number]
  engine?: OrtEngine
} = {}): Promise<Runtime> {
  checkDevice(device, webDevices)
  const adapter = device === 'webgpu' ? await findAdapter() : undefined
  if (device === 'webgpu' && !adapter) throw noAdapter('This browser')
  const build = builds[device]
  const target = device === 'webgpu' ? 'webgpu' : 'native'
  const { open, rest, version } = engine ?? engineHere(await build.load())

  const load = async (graph: Graph, weights: StoredTensors, options: LoadOptions = {}): Promise<Session> => {
    assertPrecision(device, options.precision)
    checkThreads(options.threads)
    if (options.precision === 'fp16' && !adapter?.features.has('shader-f16')) {
      throw noHalfFloats("This browser's")
    }
    const names = new Map<ByteSource, string>()
    const locate = (source: ByteSource) => {
      const name = names.get(source) ?? `weights-${names.size}`
      names.set(source, name)
      return name
    }
    const { storageOf, sources } = await placeWeights(weights, { locate, trained: options.trained })
    const externalData = await Promise.all(
      [...sources].map(async ([path, source]) => ({ path, data: await wholeOf(source) })),
    )
    try {
      const { precision, sizes } = options
      const model = toOnnx(graph, { target, precision, storageOf, sizes })
      const sessionOptions = {
        executionProviders: [device],
        graphOptimizationLevel: 'all' as const,
        logSeverityLevel: 4 as const,
        externalData,
        ...(device === 'webgpu' ? { extra: { session: onGpuAlone } } : {}),
      }
      return await open({ model, options: sessionOptions, wasmThreads: options.threads })
    } catch (thrown) {
      throw engineError(`loading ${graph.name}`, thrown)
    }
  }
  return {
    device,
    description: `ONNX Runtime ${version} ${build.words}`,
    target,
    load,
    rest,
  }
}
