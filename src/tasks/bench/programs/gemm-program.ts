import { graphOf } from '../../../graph/graph.js'
import { zeros } from '../../../graph/initialiser.js'
import { input, linear, parameter } from '../../../graph/ops/index.js'
import { chooseRuntime } from '../../../runtime/choose.js'
import type { LoadOptions, Runtime } from '../../../runtime/runtime.js'
import { storedFrom } from '../../../weights/stored-from.js'
import { seededRandom } from '../../seeded-random.js'
import type { GemmSize, Setting, Workload } from '../messages.js'
import type { Program, ProgramOptions } from './program.js'

function randomFloats(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, seededRandom(seed))
}

/** Loads one product x·Wᵀ + b as a graph of its own. */
async function loadGemm(
  runtime: Runtime,
  { rows, inner, columns }: GemmSize,
  options: Pick<LoadOptions, 'threads' | 'precision'>,
): Promise<{ run: () => Promise<unknown>; dispose: () => Promise<void> }> {
  const x = input('x', [rows, inner])
  const weight = parameter('weight', [columns, inner], zeros)
  const graph = graphOf('gemm', { y: linear(x, weight, parameter('bias', [columns], zeros)) })
  const weights = new Map([
    ['weight', storedFrom(randomFloats(columns * inner, 1), [columns, inner])],
    ['bias', storedFrom(randomFloats(columns, 2), [columns])],
  ])
  const session = await runtime.load(graph, weights, options)
  const inputs = {
    x: { dtype: 'float32' as const, shape: [rows, inner], values: randomFloats(rows * inner, 3) },
  }
  return { run: () => session.run(inputs), dispose: () => session.dispose() }
}

/** Runs products of some sizes, each alone. */
export async function gemmProgram(
  { sizes }: Extract<Workload, { kind: 'gemm' }>,
  { device, threads, precision }: ProgramOptions,
): Promise<Program> {
  const { runtime } = await chooseRuntime(device, { thread: 'caller' })
  const products = await Promise.all(sizes.map((size) => loadGemm(runtime, size, { threads, precision })))
  const run = async (setting: Setting) => {
    const product = setting.kind === 'gemm' ? products[setting.index] : undefined
    if (!product) throw new Error('blvit bug: not a setting of a product')
    await product.run()
  }
  const dispose = async () => {
    for (const product of products) await product.dispose()
  }
  return { engine: runtime.description, run, endProfile: async () => {}, dispose }
}
