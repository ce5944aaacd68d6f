import { graphOf } from '../../../graph/graph.js'
import { zeros } from '../../../graph/initialiser.js'
import { concat, input, linear, parameter, slice } from '../../../graph/ops/index.js'
import { scope } from '../../../graph/scope.js'
import { chooseRuntime } from '../../../runtime/choose.js'
import type { LoadOptions, Runtime } from '../../../runtime/runtime.js'
import { storedFrom } from '../../../weights/stored-from.js'
import { seededRandom } from '../../seeded-random.js'
import { repeatsOf } from '../gemm-sizes.js'
import type { GemmSize, Setting, Workload } from '../messages.js'
import type { Program, ProgramOptions } from './program.js'

function randomFloats(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, seededRandom(seed))
}

/** Loads products x·Wᵀ + b of one size as a graph of their own. */
async function loadGemm(
  runtime: Runtime,
  size: GemmSize,
  options: Pick<LoadOptions, 'threads' | 'precision'>,
): Promise<{ run: () => Promise<unknown>; dispose: () => Promise<void> }> {
  const { rows, inner, columns } = size
  const x = input('x', [rows, inner])
  const names = Array.from({ length: repeatsOf(size) }, (_, i) => `${i}`)
  const products = names.map((name) =>
    scope(name, () =>
      linear(x, parameter('weight', [columns, inner], zeros), parameter('bias', [columns], zeros)),
    ),
  )
  // A row of each is enough to make the engine compute all, and costs nothing to give back.
  const firstRows = concat(
    products.map((product) => slice(product, { axis: 0, end: 1 })),
    { axis: 0 },
  )
  const weights = new Map(
    names.flatMap((name, i) => [
      [`${name}.weight`, storedFrom(randomFloats(columns * inner, i), [columns, inner])] as const,
      [`${name}.bias`, storedFrom(randomFloats(columns, i), [columns])] as const,
    ]),
  )
  const session = await runtime.load(graphOf('gemm', { firstRows }), weights, options)
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
