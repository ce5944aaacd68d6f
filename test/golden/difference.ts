/** How far two lists of numbers are apart, at the place where that is most beside what is allowed. */
export interface Difference {
  readonly error: number
  readonly tolerance: number
  /** Which output it is. */
  readonly where: string
}

/** Golden files write −3e38 for −∞. */
const minusInfinity = -1e38

function distance(actual: number, expected: number): number {
  if (expected < minusInfinity && actual < minusInfinity) return 0
  const apart = Math.abs(actual - expected)
  return Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart
}

/** The largest finite number in a list, without its sign. */
function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, x) => (Math.abs(x) > -minusInfinity ? most : Math.max(most, Math.abs(x))), 0)
}

/**
 * `|a − b| ≤ tolerance·max(1, max|b|)`, the rule of golden files for whole tensors.
 * @param actual as many as `expected`
 */
export function ofTensor(
  where: string,
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
): Difference {
  const error = expected.reduce((most, x, i) => Math.max(most, distance(actual[i] ?? Number.NaN, x)), 0)
  return { where, error, tolerance: tolerance * Math.max(1, largest(expected)) }
}

/** Gradients: relative 1e-3 of the largest, plus 1e-6 where exact arithmetic gives 0. */
export function ofGradient(
  where: string,
  actual: readonly number[],
  expected: readonly number[],
): Difference {
  const error = expected.reduce((most, x, i) => Math.max(most, distance(actual[i] ?? Number.NaN, x)), 0)
  return { where, error, tolerance: 1e-3 * largest(expected) + 1e-6 }
}

/** The one that is worst beside what is allowed. */
export function worst(differences: readonly Difference[]): Difference | undefined {
  const share = ({ error, tolerance }: Difference) => error / tolerance
  return differences.reduce<Difference | undefined>(
    (most, one) => (most === undefined || share(one) > share(most) ? one : most),
    undefined,
  )
}

export function isWithin({ error, tolerance }: Difference): boolean {
  return error <= tolerance
}
