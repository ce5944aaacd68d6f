/** How a learning rate goes on after its warm-up. */
export type ScheduleShape = 'cosine' | 'linear' | 'constant'

export interface ScheduleOptions {
  /** The highest learning rate. */
  readonly peak: number
  /** All steps of the training. */
  readonly steps: number
  /** Steps in which the rate rises evenly to its peak (0). */
  readonly warmUp?: number
  /** What the step after the last one would have (0); `constant` never goes there. */
  readonly final?: number
}

/** A whole schedule, as a recipe names it. */
export interface Schedule extends ScheduleOptions {
  readonly shape: ScheduleShape
}

/** How much of the way from `peak` to `final` is left, by the share of the steps after the warm-up that are done. */
const remaining: Readonly<Record<ScheduleShape, (share: number) => number>> = {
  cosine: (share) => (1 + Math.cos(Math.PI * share)) / 2,
  linear: (share) => 1 - share,
  constant: () => 1,
}

/**
 * The learning rate of a step: a rise to the peak, then down to the final rate along the schedule's shape.
 * @param step counts from 0
 */
export function learningRateAt(step: number, schedule: Schedule): number {
  const { shape, peak, steps, warmUp = 0, final = 0 } = schedule
  if (step < warmUp) return (peak * (step + 1)) / (warmUp + 1)
  return final + (peak - final) * remaining[shape]((step - warmUp) / (steps - warmUp))
}
