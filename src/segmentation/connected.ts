import type { PictureMask } from '../image/picture-mask.js'

/** Which pixels touch: those that share a side, or corners too. */
export type Connectivity = 4 | 8

const sides = [
  [0, -1],
  [-1, 0],
  [1, 0],
  [0, 1],
] as const

const corners = [
  [-1, -1],
  [1, -1],
  [-1, 1],
  [1, 1],
] as const

/** Pixels in regions that hang together. */
export interface Regions {
  /** `[height, width]`: the region of each pixel from 1, in the order of their first pixels; 0 for pixels of none */
  readonly labels: Int32Array
  /** pixels of region `label` at `label − 1` */
  readonly areas: readonly number[]
}

/**
 * Finds the regions of a mask, or of what it leaves out.
 * @param options `inverted`: the pixels that are not meant
 */
export function connectedRegions(
  { height, width, values }: PictureMask,
  { connectivity, inverted = false }: { readonly connectivity: Connectivity; readonly inverted?: boolean },
): Regions {
  const neighbours = connectivity === 4 ? sides : [...sides, ...corners]
  const labels = new Int32Array(height * width)
  const areas: number[] = []
  const isMember = (at: number) => labels[at] === 0 && (values[at] === 0) === inverted
  for (let first = 0; first < labels.length; first++) {
    if (!isMember(first)) continue
    const label = areas.length + 1
    const open = [first]
    labels[first] = label
    let area = 0
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      area++
      const [x, y] = [at % width, Math.floor(at / width)]
      for (const [dx, dy] of neighbours) {
        const next = at + dy * width + dx
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height || !isMember(next)) continue
        labels[next] = label
        open.push(next)
      }
    }
    areas.push(area)
  }
  return { labels, areas }
}

/**
 * Fills holes of fewer than `minArea` pixels, then removes islands of fewer; where all are smaller, the largest stays
 * (segment-anything's order; corners connect).
 * @returns undefined where nothing changes
 */
export function withoutSmallRegions(mask: PictureMask, minArea: number): PictureMask | undefined {
  const filled = withoutHoles(mask, minArea)
  const cleared = withoutIslands(filled ?? mask, minArea)
  return cleared ?? filled
}

function withoutHoles(mask: PictureMask, minArea: number): PictureMask | undefined {
  const { labels, areas } = connectedRegions(mask, { connectivity: 8, inverted: true })
  if (areas.every((area) => area >= minArea)) return undefined
  const isMeant = (label: number) => label === 0 || (areas[label - 1] ?? 0) < minArea
  return { ...mask, values: Uint8Array.from(labels, (label) => Number(isMeant(label))) }
}

function withoutIslands(mask: PictureMask, minArea: number): PictureMask | undefined {
  const { labels, areas } = connectedRegions(mask, { connectivity: 8 })
  if (areas.every((area) => area >= minArea)) return undefined
  const largest = areas.reduce((best, area, index) => (area > (areas[best] ?? 0) ? index : best), 0) + 1
  const hasLarge = areas.some((area) => area >= minArea)
  const isMeant = (label: number) =>
    label > 0 && (hasLarge ? (areas[label - 1] ?? 0) >= minArea : label === largest)
  return { ...mask, values: Uint8Array.from(labels, (label) => Number(isMeant(label))) }
}
