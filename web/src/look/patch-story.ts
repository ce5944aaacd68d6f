import { partition, type Trace, type TracedStep } from 'blvit/web'

/** What became of a patch in a step. */
export interface PatchStep {
  readonly title: string
  readonly fate: string
  /** As the model scored it, and its place among all patches; absent where nothing was scored. */
  readonly score?: { readonly value: number; readonly rank: number } | undefined
}

function fateOf(step: TracedStep, patch: number): string {
  const { merged, fused, dropped } = partition(step)
  if (dropped.includes(patch)) return 'dropped'
  const sum = fused.find((patches) => patches.includes(patch))
  if (sum) return `let go, summed up with ${sum.length - 1} others`
  const path = step.big && (step.big.includes(patch) ? 'big path' : 'little path')
  const joined = merged.find((patches) => patches.includes(patch))
  const token = joined ? `one token with ${joined.length - 1} others` : 'a token of its own'
  return path ? (joined ? `${path}, ${token}` : path) : token
}

/** @param titles of the steps */
export function patchStory(trace: Trace, titles: readonly string[], patch: number): PatchStep[] {
  return trace.steps.map((step, index) => {
    const value = step.scores?.[patch]
    return {
      title: titles[index] ?? '',
      fate: fateOf(step, patch),
      score:
        value === undefined
          ? undefined
          : { value, rank: 1 + (step.scores ?? []).filter((other) => other > value).length },
    }
  })
}

/** The step that says where patches are in a layer; −1: it comes before the first. @param layer from 1 */
export function stepAt({ steps }: Pick<Trace, 'steps'>, layer: number): number {
  const routed = steps.findIndex(({ layers }) => layers?.includes(layer))
  if (routed >= 0) return routed
  return steps.findLastIndex(({ afterLayer, layers }) => afterLayer <= layer && !layers?.length)
}
