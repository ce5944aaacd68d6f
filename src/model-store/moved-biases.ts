import type { FamilyFacts } from '../models/facts.js'
import { resampleAttentionBiases } from '../weights/position-embedding.js'
import { readFloats } from '../weights/read-floats.js'
import { storedFrom } from '../weights/stored-from.js'
import type { StoredTensor, StoredTensors } from '../weights/stored-tensor.js'

/** The biases of attention whose windows have other sides in another model of the same family. */
export async function movedBiases(
  weights: StoredTensors,
  { source, target }: { source: FamilyFacts; target: FamilyFacts },
): Promise<StoredTensors> {
  const sides = new Map(source.attentionBiases?.map(({ parameter, side }) => [parameter, side]))
  const moved = new Map<string, StoredTensor>()
  for (const { parameter, side } of target.attentionBiases ?? []) {
    const [from, stored] = [sides.get(parameter), weights.get(parameter)]
    if (from === undefined || from === side || !stored) continue
    const [heads = 0] = stored.shape
    const resampled = resampleAttentionBiases(await readFloats(stored), { from, to: side })
    moved.set(parameter, storedFrom(resampled, [heads, side * side]))
  }
  return moved
}
