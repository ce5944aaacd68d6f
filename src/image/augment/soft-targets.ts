export interface SoftTargetOptions {
  readonly classes: number
  /** What of each target is spread evenly over all classes. */
  readonly labelSmoothing: number
  /** The share of its own class where pictures were mixed in pairs from both ends of the batch; 1: not mixed. */
  readonly share: number
}

/**
 * The probabilities that a model should give, as timm's `mixup_target` makes them.
 * @param labels the classes of each picture
 * @returns `[batch, classes]`; where each picture has one class, each row sums to 1
 */
export function softTargets(
  labels: readonly (readonly number[])[],
  { classes, labelSmoothing, share }: SoftTargetOptions,
): Float32Array {
  const targets = new Float32Array(labels.length * classes).fill(labelSmoothing / classes)
  const weight = 1 - labelSmoothing
  const add = (row: number, own: readonly number[], amount: number) => {
    for (const label of own) {
      const at = row * classes + label
      targets[at] = (targets[at] as number) + amount
    }
  }
  for (const [row, own] of labels.entries()) {
    add(row, own, weight * share)
    add(row, labels[labels.length - 1 - row] ?? [], weight * (1 - share))
  }
  return targets
}
