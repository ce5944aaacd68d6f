import { readArchitecture } from '../../models/index.js'
import { chooseRuntime } from '../../runtime/choose.js'
import { Engine, type PixelBatch } from '../engine.js'
import { initialise } from '../model-folder/initialise.js'
import { type ModelFiles, openModel } from '../model-folder/model-files.js'
import { seededRandom } from '../seeded-random.js'
import { loadGemm } from './gemm.js'
import type { EngineChoice, Setting, Workload } from './messages.js'

/** A loaded workload. */
export interface Program {
  readonly engine: string
  run(setting: Setting): Promise<unknown>
  /** Writes what the engine recorded since it was loaded; it records nothing afterwards. */
  endProfile(): Promise<void>
  dispose(): Promise<void>
}

export interface ProgramOptions extends EngineChoice {
  /** Where the engine writes its profile; undefined: it keeps none. */
  readonly profilePrefix: string | undefined
}

async function filesOf({ model }: Extract<Workload, { kind: 'model' }>): Promise<ModelFiles> {
  return 'config' in model ? initialise(readArchitecture(model.config)) : openModel(model.folder)
}

function noise({ architecture }: ModelFiles, count: number): PixelBatch {
  const { channels, image } = architecture
  const random = seededRandom(0)
  const length = count * channels * image.height * image.width
  return { count, values: Float32Array.from({ length }, () => 2 * random() - 1) }
}

async function modelProgram(
  workload: Extract<Workload, { kind: 'model' }>,
  options: ProgramOptions,
): Promise<Program> {
  const files = await filesOf(workload)
  const { runtime } = await chooseRuntime(options.device, { thread: 'caller' })
  const { threads, precision, profilePrefix } = options
  const engine = await Engine.load({ ...files, runtime }, ({ outputs }) => ({ logits: outputs.logits }), {
    threads,
    precision,
    profilePrefix,
  })
  const batches = new Map<number, PixelBatch>()
  const run = async (setting: Setting) => {
    if (setting.kind !== 'model') throw new Error('blvit bug: a product asked of a model')
    const pixels = batches.get(setting.batch) ?? noise(files, setting.batch)
    batches.set(setting.batch, pixels)
    await engine.run(pixels, { keepRatio: setting.keepRatio })
  }
  return {
    engine: runtime.description,
    run,
    endProfile: () => engine.endProfile(),
    dispose: () => engine.dispose(),
  }
}

async function gemmProgram(
  { sizes }: Extract<Workload, { kind: 'gemm' }>,
  { device, threads, precision }: ProgramOptions,
): Promise<Program> {
  const { runtime } = await chooseRuntime(device, { thread: 'caller' })
  const products = await Promise.all(sizes.map((size) => loadGemm(runtime, size, { threads, precision })))
  const run = async (setting: Setting) => {
    const product = setting.kind === 'gemm' ? products[setting.index] : undefined
    if (!product) throw new Error('blvit bug: a model asked of a product')
    await product.run()
  }
  const dispose = async () => {
    for (const product of products) await product.dispose()
  }
  return { engine: runtime.description, run, endProfile: async () => {}, dispose }
}

export function loadProgram(workload: Workload, options: ProgramOptions): Promise<Program> {
  return workload.kind === 'gemm' ? gemmProgram(workload, options) : modelProgram(workload, options)
}
