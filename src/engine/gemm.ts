import { seededRandom } from '../base/random.js'
import { graphOf } from '../graph/graph.js'
import { zeros } from '../graph/initialiser.js'
import { concat, input, linear, parameter, slice } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { LoadOptions, Runtime } from '../runtime/runtime.js'
import { storedFrom } from '../weights/stored-from.js'
import { type GemmSize, gemmGflops, machineGemms, repeatsOf } from './gemm-sizes.js'

function randomFloats(count: number, seed: number): Float32Array {
  const random = seededRandom(seed)
  const values = new Float32Array(count)
  // ten times as fast as Float32Array.from, and there are millions
  for (let i = 0; i < count; i++) values[i] = random()
  return values
}

/** Loads products x·Wᵀ + b of one size as a graph of their own. */
export async function loadGemm(
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

const runs = 3

/** 10⁹ floating-point operations a second that large matrix products alone reach here now; takes about a second. */
export async function gemmRate(runtime: Runtime, { threads }: Pick<LoadOptions, 'threads'>): Promise<number> {
  let best = 0
  for (const size of machineGemms) {
    const product = await loadGemm(runtime, size, { threads, precision: 'fp32' })
    try {
      for (let run = 0; run < runs; run++) {
        const start = performance.now()
        await product.run()
        const ms = performance.now() - start
        best = Math.max(best, gemmGflops(size, ms / repeatsOf(size)))
      }
    } finally {
      await product.dispose()
    }
  }
  return best
}
