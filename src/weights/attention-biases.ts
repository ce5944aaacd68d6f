import { resamplePositionEmbedding } from './position-embedding.js'
import { readFloats } from './read-floats.js'
import { storedFrom } from './stored-from.js'
import type { StoredTensor, StoredTensors } from './stored-tensor.js'

/** Biases of attention inside a square window. */
export interface WindowBiases {
  /** Of each head a number for each distance of rows and columns. `[heads, side·side]` */
  readonly parameter: string
  /** Of the window, in places. */
  readonly side: number
}

/**
 * Biases for windows of another side, as EfficientViT's loader makes them: bicubic, never antialiased.
 * @param values `[heads, from·from]`, row-major
 * @returns `[heads, to·to]`
 */
function resampleAttentionBiases(
  values: Float32Array,
  { from, to }: { from: number; to: number },
): Float32Array {
  const heads = values.length / from ** 2
  const resampled = new Float32Array(heads * to ** 2)
  for (let head = 0; head < heads; head++) {
    const own = values.subarray(head * from ** 2, (head + 1) * from ** 2)
    const grids = { prefix: 0, width: 1, from: [from, from], to: [to, to] } as const
    resampled.set(resamplePositionEmbedding(own, { ...grids, antialias: false }), head * to ** 2)
  }
  return resampled
}

/** Those biases of a model whose windows have another side in another model of its family, for that. */
export async function movedBiases(
  weights: StoredTensors,
  { from, to }: { readonly from: readonly WindowBiases[]; readonly to: readonly WindowBiases[] },
): Promise<StoredTensors> {
  const sides = new Map(from.map(({ parameter, side }) => [parameter, side]))
  const moved = new Map<string, StoredTensor>()
  for (const { parameter, side } of to) {
    const [before, stored] = [sides.get(parameter), weights.get(parameter)]
    if (before === undefined || before === side || !stored) continue
    const resampled = resampleAttentionBiases(await readFloats(stored), { from: before, to: side })
    moved.set(parameter, storedFrom(resampled, [resampled.length / side ** 2, side * side]))
  }
  return moved
}
