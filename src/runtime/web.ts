import type { Graph } from '../graph/graph.js'
import { toOnnx } from '../graph/onnx/write.js'
import type { ByteSource, StoredTensors } from '../weights/stored-tensor.js'
import { engineError, ortSession } from './ort-session.js'
import { placeWeights } from './place-weights.js'
import type { LoadOptions, Runtime, Session } from './runtime.js'

/** ONNX Runtime's WebAssembly build, in the browser and, as the fallback, in Node. */
export async function webRuntime({ device = 'wasm' as 'wasm' | 'webgpu' } = {}): Promise<Runtime> {
  const ort = await import('onnxruntime-web')

  const load = async (graph: Graph, weights: StoredTensors, options: LoadOptions = {}): Promise<Session> => {
    // 0: as many as the engine thinks good
    ort.env.wasm.numThreads = options.threads ?? 0
    const names = new Map<ByteSource, string>()
    const locate = (source: ByteSource) => {
      const name = names.get(source) ?? `weights-${names.size}`
      names.set(source, name)
      return name
    }
    const { storageOf, sources } = await placeWeights(weights, { locate })
    const externalData = await Promise.all(
      [...sources].map(async ([path, source]) => ({ path, data: await source.read(0, source.sizeBytes) })),
    )
    try {
      const model = toOnnx(graph, { target: 'standard', storageOf })
      const session = await ort.InferenceSession.create(model, {
        executionProviders: [device],
        graphOptimizationLevel: 'all',
        logSeverityLevel: 4,
        externalData,
      })
      return ortSession(ort, session)
    } catch (thrown) {
      throw engineError(`loading ${graph.name}`, thrown)
    }
  }
  return {
    device,
    description: `ONNX Runtime ${ort.env.versions.web ?? ''} WebAssembly`,
    target: 'standard',
    load,
  }
}
