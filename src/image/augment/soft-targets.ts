export interface SoftTargetOptions {
  readonly classes: number
  /** What of each target is spread evenly over all classes. */
  readonly labelSmoothing: number
  /** The share of its own class where pictures were mixed in pairs from both ends of the batch; 1: not mixed. */
  readonly share: number
}

/**
 * The probabilities that a model should give, as timm's `mixup_target` makes them.
 * @param labels class numbers, `[batch]`
 * @returns `[batch, classes]`, each row sums to 1
 */
export function softTargets(
  labels: Int32Array,
  { classes, labelSmoothing, share }: SoftTargetOptions,
): Float32Array {
  const targets = new Float32Array(labels.length * classes).fill(labelSmoothing / classes)
  const weight = 1 - labelSmoothing
  for (const [row, label] of labels.entries()) {
    const partner = labels[labels.length - 1 - row] as number
    const own = row * classes + label
    const other = row * classes + partner
    targets[own] = (targets[own] as number) + weight * share
    targets[other] = (targets[other] as number) + weight * (1 - share)
  }
  return targets
}
