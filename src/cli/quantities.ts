/** 99623744 → `99,623,744`, whatever the machine's language. */
export function grouped(count: number, { decimals = 0 } = {}): string {
  return count.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}

/** 1 → `1 picture`, 1200 → `1,200 pictures`. */
export function countedPictures(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'picture' : 'pictures'}`
}

/** 0.5861 → `58.6 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

const prefixes = [
  { letter: 'G', size: 1e9 },
  { letter: 'M', size: 1e6 },
  { letter: 'k', size: 1e3 },
  { letter: '', size: 1 },
] as const

const smallest = prefixes[3]

/** Numbers of one column in one unit, so that their digits stand below each other. */
export interface Unit {
  /** `G`, `M`, `k` or nothing. */
  readonly letter: string
  format(count: number): string
}

/**
 * The unit for numbers up to `largest`.
 * @param options `atLeast`: how large the largest must be in it. A column of models wants 1 (`9.891 G`), a
 *   column of their parts 1000, so that small parts don't vanish (`9,891.4` and `0.6 M`)
 */
export function unitFor(
  largest: number,
  { atLeast = 1, decimals = 3 }: { atLeast?: number; decimals?: number } = {},
): Unit {
  const { letter, size } = prefixes.find((prefix) => largest / prefix.size >= atLeast) ?? smallest
  return { letter, format: (count) => grouped(count / size, { decimals: size === 1 ? 0 : decimals }) }
}

/** One number with its unit: 9891402240 → `9.891 G`. */
export function large(count: number): string {
  const { letter, format } = unitFor(count)
  return letter === '' ? format(count) : `${format(count)} ${letter}`
}

/** 398494976 → `398.5 MB`: steps of 1000, as file managers have them. */
export function bytes(sizeBytes: number): string {
  const { letter, format } = unitFor(sizeBytes, { decimals: 1 })
  return `${format(sizeBytes)} ${letter}B`
}
