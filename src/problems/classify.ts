/** One class and how sure the model is. */
export interface ScoredLabel {
  /** Class number from 0. */
  readonly index: number
  readonly label: string
  /** 0 … 1; all classes of a picture sum to 1. */
  readonly probability: number
}

/** What a model says of a picture. */
export interface Classification {
  /** The best classes, best first. */
  readonly top: readonly ScoredLabel[]
  /** The engine's time, shared equally by the pictures of a batch. Reading the file is not in it. */
  readonly elapsedMs: number
}

/** The classes with the highest logits, with softmax probabilities over all classes; equal logits: lower index first. */
export function rankClasses(
  logits: ArrayLike<number>,
  labels: readonly string[],
  { top }: { top: number },
): ScoredLabel[] {
  const scores = Array.from(logits)
  const highest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  // exp of the raw logits overflows above 709; the highest one cancels out of the quotient
  const sum = scores.reduce((total, score) => total + Math.exp(score - highest), 0)
  return scores
    .map((score, index) => ({
      index,
      label: labels[index] ?? `class ${index}`,
      probability: Math.exp(score - highest) / sum,
    }))
    .sort((a, b) => b.probability - a.probability || a.index - b.index)
    .slice(0, top)
}
