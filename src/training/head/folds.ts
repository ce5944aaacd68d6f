import { drawBelow } from '../../base/distributions.js'
import type { Random } from '../../base/random.js'

/**
 * Shares pictures out among folds so that each has its part of every class, and what belongs together stays together.
 * @param labels the class numbers of each picture
 * @param groups a number for each picture; those with the same are never parted (doubles of one another)
 * @returns for each picture its fold, 0 … folds − 1
 */
export function stratifiedFolds(
  labels: readonly (readonly number[])[],
  groups: ArrayLike<number>,
  { folds, random }: { readonly folds: number; readonly random: Random },
): Int32Array {
  const members = new Map<number, number[]>()
  for (let row = 0; row < labels.length; row++) {
    const group = groups[row] as number
    const known = members.get(group)
    if (known) known.push(row)
    else members.set(group, [row])
  }
  const order = shuffled([...members.values()], random)
  const frequency = new Map<number, number>()
  for (const label of labels.flat()) frequency.set(label, (frequency.get(label) ?? 0) + 1)
  /** A group is counted by its rarest class: of several labels that is the one that could be missing somewhere. */
  const rarest = (rows: readonly number[]) => {
    const own = rows.flatMap((row) => labels[row] ?? [])
    return own.sort((a, b) => (frequency.get(a) ?? 0) - (frequency.get(b) ?? 0) || a - b)[0] ?? -1
  }
  // large groups first: what comes last evens out
  const byClass = order
    .map((rows) => ({ rows, label: rarest(rows) }))
    .sort((a, b) => b.rows.length - a.rows.length)
  const filled = new Map<number, Float64Array>()
  const sizes = new Float64Array(folds)
  const result = new Int32Array(labels.length)
  for (const { rows, label } of byClass) {
    const ofClass = filled.get(label) ?? new Float64Array(folds)
    filled.set(label, ofClass)
    let best = 0
    for (let fold = 1; fold < folds; fold++) {
      const differs = (ofClass[fold] as number) - (ofClass[best] as number)
      if (differs < 0 || (differs === 0 && (sizes[fold] as number) < (sizes[best] as number))) best = fold
    }
    ofClass[best] = (ofClass[best] as number) + rows.length
    sizes[best] = (sizes[best] as number) + rows.length
    for (const row of rows) result[row] = best
  }
  return result
}

function shuffled<Item>(items: Item[], random: Random): Item[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = drawBelow(i + 1, random)
    const [a, b] = [items[i] as Item, items[j] as Item]
    items[i] = b
    items[j] = a
  }
  return items
}
