/** A resampling filter of Pillow: its weight at a distance, and the distance at which it ends. */
interface Filter {
  /** half width at scale 1, in pixels */
  readonly support: number
  /** @param x signed distance from the centre, in pixels at scale 1 */
  readonly weight: (x: number) => number
}

/** The filters that vision transformers are evaluated with, as Pillow defines them. */
export const filters = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: keysCubic },
  lanczos: { support: 3, weight: (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} satisfies Record<string, Filter>

export type FilterName = keyof typeof filters

export const filterNames = Object.keys(filters) as FilterName[]

/** Keys' cubic convolution with a = −0.5, multiplied out in Pillow's order so that the bits agree. */
function keysCubic(signed: number): number {
  const a = -0.5
  const x = Math.abs(signed)
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a
  return 0
}

function sinc(x: number): number {
  if (x === 0) return 1
  const angle = x * Math.PI
  return Math.sin(angle) / angle
}
