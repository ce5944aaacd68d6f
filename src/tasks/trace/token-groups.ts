import { defined } from '../../base/assert.js'
import { partition, type Trace } from './traced-steps.js'

export type Colour = readonly [red: number, green: number, blue: number]

/** Several patches that are one token together, or one that sums up what was let go. */
export interface TokenGroup {
  /** From 1, in the order in which groups arise; a group that grows keeps it, of several that join the smallest stays. */
  readonly number: number
  /** Ascending. */
  readonly patches: readonly number[]
  /** Whether it sums up what was let go. */
  readonly fused: boolean
  /** The same from step to step, unless a neighbour has it too. */
  readonly colour: Colour
}

/**
 * Sasha Trubetskoy's list of distinct colours, without those that vanish on photographs and without orange, which is
 * the outline of what was kept.
 */
const palette: readonly Colour[] = [
  [145, 30, 180], // purple
  [230, 25, 75], // red
  [60, 180, 75], // green
  [255, 225, 25], // yellow
  [67, 99, 216], // blue
  [70, 240, 240], // cyan
  [240, 50, 230], // magenta
  [188, 246, 12], // lime
  [0, 128, 128], // teal
  [250, 190, 190], // pink
  [128, 0, 0], // maroon
  [170, 255, 195], // mint
  [128, 128, 0], // olive
  [230, 190, 255], // lavender
  [0, 0, 117], // navy
  [154, 99, 36], // brown
]

/** The groups of each step, by number: what a reader must tell apart, and find again in the next step. */
export function tokenGroups({
  grid,
  steps,
}: Pick<Trace, 'grid' | 'steps'>): readonly (readonly TokenGroup[])[] {
  let before: readonly TokenGroup[] = []
  let last = 0
  return steps.map((step) => {
    const { merged, fused } = partition(step)
    const found = [
      ...merged.map((patches) => ({ patches, fused: false })),
      ...fused.map((patches) => ({ patches, fused: true })),
    ].map((group) => {
      const older = before.find(({ patches }) => patches.some((patch) => group.patches.includes(patch)))
      return { ...group, number: older?.number ?? ++last, colour: older?.colour }
    })
    const groups: TokenGroup[] = []
    for (const { colour, ...group } of found.sort((a, b) => a.number - b.number)) {
      const neighbours = touching(group, groups, grid)
      const keepsColour = colour && neighbours.every((other) => other.colour !== colour)
      groups.push({ ...group, colour: keepsColour ? colour : freeColour(groups, neighbours) })
    }
    before = groups
    return groups
  })
}

/** Those that share a side or a corner of a patch with one. */
function touching(
  { patches }: Pick<TokenGroup, 'patches'>,
  others: readonly TokenGroup[],
  grid: Trace['grid'],
): readonly TokenGroup[] {
  const near = new Set(patches.flatMap((patch) => around(patch, grid)))
  return others.filter((other) => other.patches.some((patch) => near.has(patch)))
}

/** Of the colours that fewest groups have, and no neighbour, the one that the neighbours' differ most from. */
function freeColour(groups: readonly TokenGroup[], neighbours: readonly TokenGroup[]): Colour {
  const uses = (colour: Colour) => groups.filter((other) => other.colour === colour).length
  const contrast = (colour: Colour) =>
    Math.min(Number.MAX_VALUE, ...neighbours.map((other) => distance(other.colour, colour)))
  const apart = palette.filter((colour) => contrast(colour) > 0)
  const possible = apart.length > 0 ? apart : palette
  const fewest = Math.min(...possible.map(uses))
  return possible
    .filter((colour) => uses(colour) === fewest)
    .reduce((best, colour) => (contrast(colour) > contrast(best) ? colour : best))
}

function distance(a: Colour, b: Colour): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

/** The patches that touch one, by a side or a corner. */
function around(patch: number, { rows, columns }: Trace['grid']): number[] {
  const [row, column] = [Math.floor(patch / columns), patch % columns]
  const shifts = [-1, 0, 1]
  return shifts.flatMap((down) =>
    shifts.flatMap((right) => {
      const inside = row + down >= 0 && row + down < rows && column + right >= 0 && column + right < columns
      return inside && (down !== 0 || right !== 0) ? [patch + down * columns + right] : []
    }),
  )
}

/** A patch in the middle of each connected part of a group: where its number stands. */
export function middles({ patches }: Pick<TokenGroup, 'patches'>, grid: Trace['grid']): number[] {
  const left = new Set(patches)
  const found: number[] = []
  for (const first of patches) {
    if (!left.delete(first)) continue
    const part = [first]
    for (const patch of part) part.push(...sides(patch, grid).filter((next) => left.delete(next)))
    found.push(middle(part, grid.columns))
  }
  return found
}

function sides(patch: number, grid: Trace['grid']): number[] {
  return around(patch, grid).filter((other) => {
    const gap = Math.abs(other - patch)
    return gap === grid.columns || gap === 1
  })
}

function middle(part: readonly number[], columns: number): number {
  const mean = (of: (patch: number) => number) =>
    part.reduce((sum, patch) => sum + of(patch), 0) / part.length
  const row = (patch: number) => Math.floor(patch / columns)
  const column = (patch: number) => patch % columns
  const [meanRow, meanColumn] = [mean(row), mean(column)]
  const away = (patch: number) => Math.hypot(row(patch) - meanRow, column(patch) - meanColumn)
  return defined([...part].sort((a, b) => away(a) - away(b) || a - b)[0], 'a patch of the part')
}
