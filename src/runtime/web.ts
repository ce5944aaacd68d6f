import type { Graph } from '../graph/graph.js'
import { toOnnx } from '../graph/onnx/write.js'
import type { ByteSource, StoredTensors } from '../weights/stored-tensor.js'
import { engineError, ortSession } from './ort-session.js'
import { placeWeights } from './place-weights.js'
import type { LoadOptions, Runtime, Session } from './runtime.js'
import { noAdapter, onGpuAlone } from './webgpu.js'

/** The builds of ONNX Runtime for browsers; only the first also runs in Node. */
const builds = {
  wasm: { load: () => import('onnxruntime-web'), words: 'WebAssembly' },
  webgpu: { load: () => import('onnxruntime-web/webgpu'), words: 'WebGPU' },
}

/** False where there is no WebGPU or no graphics processor behind it. */
async function hasAdapter(): Promise<boolean> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } }
  return Boolean(await gpu?.requestAdapter())
}

/**
 * ONNX Runtime's WebAssembly build, in the browser and, as the fallback, in Node; in the browser also WebGPU.
 * @throws BlvitError `ENGINE` for `webgpu` where there is no adapter
 */
export async function webRuntime({ device = 'wasm' as 'wasm' | 'webgpu' } = {}): Promise<Runtime> {
  if (device === 'webgpu' && !(await hasAdapter())) throw noAdapter('This browser')
  const build = builds[device]
  const target = device === 'webgpu' ? 'webgpu' : 'standard'
  const ort = await build.load()

  const load = async (graph: Graph, weights: StoredTensors, options: LoadOptions = {}): Promise<Session> => {
    // 0: as many as the engine thinks good
    ort.env.wasm.numThreads = options.threads ?? 0
    const names = new Map<ByteSource, string>()
    const locate = (source: ByteSource) => {
      const name = names.get(source) ?? `weights-${names.size}`
      names.set(source, name)
      return name
    }
    const { storageOf, sources } = await placeWeights(weights, { locate, trained: options.trained })
    const externalData = await Promise.all(
      [...sources].map(async ([path, source]) => ({ path, data: await source.read(0, source.sizeBytes) })),
    )
    try {
      const model = toOnnx(graph, { target, storageOf })
      const session = await ort.InferenceSession.create(model, {
        executionProviders: [device],
        graphOptimizationLevel: 'all',
        logSeverityLevel: 4,
        externalData,
        ...(device === 'webgpu' ? { extra: { session: onGpuAlone } } : {}),
      })
      return ortSession(ort, session)
    } catch (thrown) {
      throw engineError(`loading ${graph.name}`, thrown)
    }
  }
  return {
    device,
    description: `ONNX Runtime ${ort.env.versions.web ?? ''} ${build.words}`,
    target,
    load,
  }
}
