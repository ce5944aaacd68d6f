import { realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { BlvitError, messageOf } from '../../base/blvit-error.js'
import type { Graph } from '../../graph/graph.js'
import { toOnnx } from '../../graph/onnx/write.js'
import type { ByteSource, StoredTensors } from '../../weights/stored-tensor.js'
import { checkThreads } from '../device.js'
import { engineHere, type OrtEngine } from '../engine.js'
import { engineError } from '../engine-error.js'
import { assertHalfFloats } from '../half-floats.js'
import { placeWeights } from '../place-weights.js'
import { assertPrecision } from '../precision.js'
import type { LaneSource, LoadOptions, Runtime, Session } from '../runtime.js'
import { noAdapter, onGpuAlone } from '../webgpu.js'
import { withoutTelemetry } from './telemetry.js'

/** Threads of engines that run beside each other had better not wait for work by spinning: they'd slow down the others. */
const withoutSpinning = { intra_op: { allow_spinning: '0' } }

/**
 * A thread of an engine that runs alone waits for work by spinning, which makes runs a fifth faster, but no longer than
 * this: the pauses between two operators are far shorter, and while a session is made there are long ones, in which it
 * would take a core from the thread that prepares the picture (40 ms of processor time for ViT-Tiny).
 */
const briefSpinning = { intra_op: { spin_duration_us: '1000' } }

/** Profiles so far: the engine names their files by the second, in which several sessions can begin. */
let profiles = 0

/** @throws BlvitError if a file that the engine is about to map isn't the one that was opened */
function assertUnchanged(weights: StoredTensors): void {
  const segments = [...weights.values()].flatMap((tensor) => tensor.segments)
  const sources = new Set(segments.map(({ source }) => source))
  for (const source of sources) source.assertUnchanged?.()
}

/** The same function, asked once about each source: a file has hundreds of tensors, and its links are many calls. */
function once<T>(of: (source: ByteSource) => T): (source: ByteSource) => T {
  const known = new Map<ByteSource, T>()
  return (source) => {
    const found = known.get(source)
    if (found !== undefined || known.has(source)) return found as T
    const value = of(source)
    known.set(source, value)
    return value
  }
}

/** The folder that most of a model's weights lie in; ONNX external data can point into one folder only. */
function weightsFolder(weights: StoredTensors): string | undefined {
  for (const tensor of weights.values()) {
    for (const { source } of tensor.segments) {
      if (source.path !== undefined) return dirname(realpathSync(source.path))
    }
  }
  return undefined
}

async function engineInThisThread(): Promise<OrtEngine> {
  await withoutTelemetry()
  return engineHere(await import('onnxruntime-node'))
}

/**
 * ONNX Runtime's native library, on the processor or, through WebGPU, on a graphics processor.
 * @param options `engine`: the library where it is loaded already; default: loaded on the calling thread.
 *   `lanes`: how to run several beside each other. `besideOthers`: this is one of those
 * @throws Error where the library is not installed or can't be loaded on this system
 */
export async function nativeRuntime({
  device = 'cpu',
  engine,
  lanes,
  besideOthers = false,
}: {
  device?: 'cpu' | 'webgpu'
  engine?: OrtEngine
  lanes?: LaneSource
  besideOthers?: boolean
} = {}): Promise<Runtime> {
  const { open, rest, version } = engine ?? (await engineInThisThread())
  const target = device === 'cpu' ? 'native' : 'webgpu'

  const load = async (graph: Graph, weights: StoredTensors, options: LoadOptions = {}): Promise<Session> => {
    assertPrecision(device, options.precision)
    checkThreads(options.threads)
    assertUnchanged(weights)
    const folder = weightsFolder(weights)
    const locate = once(({ path }: ByteSource) => {
      if (path === undefined) return undefined
      // The hub's cache holds links to blobs elsewhere; the engine wants the file itself.
      const file = realpathSync(path)
      return dirname(file) === folder ? basename(file) : undefined
    })
    const { storageOf } = await placeWeights(weights, { locate, trained: options.trained })
    const sessionEntries = {
      ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
      ...(device === 'webgpu' ? onGpuAlone : {}),
      ...(besideOthers ? withoutSpinning : briefSpinning),
    }
    try {
      const model = toOnnx(graph, {
        target,
        precision: options.precision,
        storageOf,
        sizes: options.sizes,
      })
      const sessionOptions = {
        executionProviders: [device],
        graphOptimizationLevel: 'all' as const,
        executionMode: 'sequential' as const,
        ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
        ...(options.profilePrefix === undefined
          ? {}
          : { enableProfiling: true, profileFilePrefix: `${options.profilePrefix}-${profiles++}` }),
        // Errors reach the user as BlvitErrors; the engine's own log would only repeat them on stderr.
        logSeverityLevel: 4 as const,
        extra: { session: sessionEntries },
      }
      if (options.precision === 'fp16') {
        // a session of its own, whose profile nobody asked for
        const { enableProfiling: _, ...probe } = sessionOptions
        await assertHalfFloats({ open }, probe)
      }
      return await open({ model, options: sessionOptions })
    } catch (thrown) {
      // a refusal of ours may speak of the adapter too
      if (thrown instanceof BlvitError) throw thrown
      if (/WebGPU adapter/.test(messageOf(thrown))) throw noAdapter('This machine', thrown)
      throw engineError(`loading ${graph.name}`, thrown)
    }
  }
  return {
    device,
    description: `ONNX Runtime ${version} native${device === 'webgpu' ? ' WebGPU' : ''}`,
    target,
    lanes,
    load,
    rest,
  }
}
