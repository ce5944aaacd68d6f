import { graphOf } from '../../graph/graph.js'
import { zeros } from '../../graph/initialiser.js'
import { input, linear, parameter } from '../../graph/ops/index.js'
import type { LoadOptions, Runtime } from '../../runtime/runtime.js'
import { storedFrom } from '../../weights/stored-from.js'
import { seededRandom } from '../seeded-random.js'
import type { GemmSize } from './messages.js'

/** The matrix products that a big ViT at batch 8 consists of: what a machine can do at best, not on paper. */
export const machineGemms: readonly GemmSize[] = [
  { rows: 1576, inner: 768, columns: 3072 },
  { rows: 1576, inner: 3072, columns: 768 },
  { rows: 1536, inner: 1536, columns: 1536 },
]

/** Multiply-adds of a product. */
export function gemmWork({ rows, inner, columns }: GemmSize): number {
  return rows * inner * columns
}

function randomFloats(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, seededRandom(seed))
}

/** Loads one product x·Wᵀ + b as a graph of its own. */
export async function loadGemm(
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
