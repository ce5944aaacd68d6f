import { Engine } from '../../../src/engine/engine.js'
import type { ConfigJson } from '../../../src/models/architecture.js'
import type { BlvitConfig } from '../../../src/models/blvit-config.js'
import { readArchitecture } from '../../../src/models/index.js'
import { programOf } from '../../../src/models/model-definition.js'
import type { TensorData } from '../../../src/runtime/runtime.js'
import { webRuntime } from '../../../src/runtime/web.js'
import { TrainingSession } from '../../../src/training/training-session.js'
import { blobSource } from '../../../src/weights/byte-source.js'
import { readFloats } from '../../../src/weights/read-floats.js'
import { readSafetensors } from '../../../src/weights/safetensors/read.js'
import type { StoredTensor } from '../../../src/weights/stored-tensor.js'
import { goldenStep, goldenTraining } from '../../support/golden-train-step.js'

/** What a page is asked to run: addresses of files, and how. */
export interface PageRun {
  readonly device: 'wasm' | 'webgpu'
  readonly threads?: number
  readonly precision?: 'fp32' | 'fp16'
  readonly config: ConfigJson
  /** A safetensors file with parameters in timm's names. */
  readonly weights: string
  /** What stands before each parameter's name. Default: nothing. */
  readonly weightsPrefix?: string
  readonly pixels: PagePixels
  /** Run once with each. Default: once with the model's own. */
  readonly keepRatios?: readonly number[]
}

/** Pictures in a safetensors file. */
export interface PagePixels {
  readonly file: string
  readonly name: string
  /** How many, from the first. Default: all. */
  readonly count?: number
}

/**
 * Frees a session, but for the first one on the GPU of a page: with its last session ONNX Runtime forgets the shaders that
 * it has compiled, and a GPU which is computed by the processor compiles for longer than it runs.
 */
async function release(device: 'wasm' | 'webgpu', session: { dispose(): Promise<void> }): Promise<void> {
  if (device === 'webgpu' && !keepsShaders) keepsShaders = true
  else await session.dispose()
}
let keepsShaders = false

async function tensorsAt(address: string) {
  const response = await fetch(address)
  if (!response.ok) throw new Error(`${address}: ${response.status}`)
  return (await readSafetensors(blobSource(await response.blob(), { name: address }))).tensors
}

async function readPixels({ file, name, count }: PagePixels) {
  const tensor = (await tensorsAt(file)).get(name)
  if (!tensor) throw new Error(`${file} has no ${name}`)
  const [all = 0, ...picture] = tensor.shape
  const wanted = count ?? all
  const values = await readFloats(tensor)
  return { count: wanted, picture, values: values.slice(0, (values.length / all) * wanted) }
}

/** The golden training step: what a page needs to make it. */
export interface PageTraining {
  readonly device: 'wasm' | 'webgpu'
  readonly config: BlvitConfig
  readonly kept: number
  /** The golden file, which holds pictures and weights. */
  readonly file: string
  /** `[batch][classes]` */
  readonly targets: readonly (readonly number[])[]
}

/** Makes two golden training steps: loss parts and gradients of each, and the weights after both. */
export async function trainGoldenModel({ device, config, kept, file, targets }: PageTraining): Promise<{
  readonly parts: number[][]
  readonly gradients: Record<string, number[]>[]
  readonly weights: Record<string, number[]>
}> {
  const { learningRate, lossParts } = goldenTraining
  const step = goldenStep(config, { kept, softTargets: true })
  const stored = await tensorsAt(file)
  const start = new Map<string, Float32Array>()
  const frozen = new Map<string, StoredTensor>()
  for (const [name, tensor] of stored) {
    if (name.startsWith('w/')) start.set(name.slice(2), await readFloats(tensor))
    if (name.startsWith('teacher/')) frozen.set(name.replace('/', '.'), tensor)
  }
  const { count, picture, values } = await readPixels({ file, name: 'in/x' })
  const feeds = {
    pixel_values: { dtype: 'float32' as const, shape: [count, ...picture], values },
    targets: {
      dtype: 'float32' as const,
      shape: [count, config.classes],
      values: Float32Array.from(targets.flat()),
    },
  }
  const session = await TrainingSession.open(await webRuntime({ device }), step, {
    start,
    frozen,
    sizes: { batch: count },
  })
  const results = [await session.run(feeds, { learningRate }), await session.run(feeds, { learningRate })]
  const numbers = (data: TensorData | undefined) => Array.from(data?.values ?? [], Number)
  const names = [...start.keys()]
  const found = {
    parts: results.map((result) => lossParts.map((part) => Number(result[part]?.values[0]))),
    gradients: results.map((result) =>
      Object.fromEntries(names.map((name) => [name, numbers(result[`gradient of ${name}`])])),
    ),
    weights: Object.fromEntries(names.map((name) => [name, numbers(session.state.get(name))])),
  }
  await release(device, session)
  return found
}

/** Builds, loads and runs a model inside a browser, with the library's own modules. */
export async function runModel(run: PageRun): Promise<{ logits: number[][]; isolated: boolean }> {
  const { weightsPrefix: prefix = '', keepRatios = [undefined] } = run
  const architecture = readArchitecture(run.config)
  const weights = new Map(
    [...(await tensorsAt(run.weights))]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  )
  const runtime = await webRuntime({ device: run.device })
  const engine = await Engine.load(
    { architecture, weights, runtime },
    (model) => programOf(model, 'classify'),
    { threads: run.threads, precision: run.precision },
  )
  const pixels = await readPixels(run.pixels)
  const logits: number[][] = []
  for (const keepRatio of keepRatios) {
    const { outputs } = await engine.run(
      { batch: pixels.count, inputs: { pixel_values: pixels.values } },
      { keepRatio },
    )
    logits.push(Array.from(outputs.logits?.values ?? [], Number))
  }
  await release(run.device, engine)
  return { logits, isolated: self.crossOriginIsolated }
}

/** What the page's graphics processor offers beyond the obligatory. */
export async function adapterFeatures(): Promise<string[]> {
  const { gpu } = navigator as {
    gpu?: { requestAdapter(): Promise<{ features: Iterable<string> } | null> }
  }
  return [...((await gpu?.requestAdapter())?.features ?? [])]
}

/** Runs an exported ONNX file with onnxruntime-web alone. */
export async function runOnnx(
  model: string,
  pixels: PagePixels,
  device: 'wasm' | 'webgpu',
): Promise<number[]> {
  const onnx = await (device === 'wasm' ? import('onnxruntime-web') : import('onnxruntime-web/webgpu'))
  const session = await onnx.InferenceSession.create(model, { executionProviders: [device] })
  const { count, picture, values } = await readPixels(pixels)
  const { logits } = await session.run({
    pixel_values: new onnx.Tensor('float32', values, [count, ...picture]),
  })
  await session.release()
  return Array.from(logits?.data ?? [], Number)
}

/** Tries to load a model on a GPU, whatever its operators are, and tells why that fails. */
export async function complaintOnGpu(model: string): Promise<string> {
  const { InferenceSession } = await import('onnxruntime-web/webgpu')
  const { onGpuAlone } = await import('../../../src/runtime/webgpu.js')
  try {
    await InferenceSession.create(model, {
      executionProviders: ['webgpu'],
      logSeverityLevel: 4,
      extra: { session: onGpuAlone },
    })
    return ''
  } catch (thrown) {
    return String(thrown)
  }
}
