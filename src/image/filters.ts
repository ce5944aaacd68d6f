import { bicubic, type ResamplingFilter } from '../base/resampling.js'

/** The filters that vision transformers are evaluated with, as Pillow defines them. */
export const filters = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic,
  lanczos: { support: 3, weight: (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} satisfies Record<string, ResamplingFilter>

export type FilterName = keyof typeof filters

export const filterNames = Object.keys(filters) as FilterName[]

function sinc(x: number): number {
  if (x === 0) return 1
  const angle = x * Math.PI
  return Math.sin(angle) / angle
}
