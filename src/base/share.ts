/** How many of how many, with the interval in which the true share lies 95 times of 100. */
export interface Share {
  readonly count: number
  readonly of: number
  /** `count / of`, 0 … 1; NaN when `of` is 0. */
  readonly share: number
  /** Lower and upper end of Wilson's 95 % interval. */
  readonly low: number
  readonly high: number
}

/** The 97.5 % quantile of the normal distribution. */
const z = 1.959_963_984_540_054

/**
 * A share with Wilson's score interval (E. B. Wilson, 1927), which unlike the textbook's ± stays within 0 … 1 and
 * holds near its ends.
 */
export function shareOf(count: number, of: number): Share {
  if (of === 0) return { count, of, share: Number.NaN, low: 0, high: 1 }
  const share = count / of
  const scale = 1 + z ** 2 / of
  const centre = (share + z ** 2 / (2 * of)) / scale
  const reach = (z / scale) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2))
  // none and all: the end is 0 or 1, which rounding would miss
  return { count, of, share, low: count === 0 ? 0 : centre - reach, high: count === of ? 1 : centre + reach }
}
