export interface CosineOptions {
  /** The highest learning rate. */
  readonly peak: number
  /** All steps of the training. */
  readonly steps: number
  /** Steps in which the rate rises evenly to its peak (0). */
  readonly warmUp?: number
}

/**
 * The learning rate of a step: a rise to the peak, then half a cosine down to 0, which the step after the last one
 * would have.
 * @param step counts from 0
 */
export function cosineRate(step: number, { peak, steps, warmUp = 0 }: CosineOptions): number {
  if (step < warmUp) return (peak * (step + 1)) / (warmUp + 1)
  const share = (step - warmUp) / (steps - warmUp)
  return (peak * (1 + Math.cos(Math.PI * share))) / 2
}
