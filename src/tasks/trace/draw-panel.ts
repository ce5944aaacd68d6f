import { defined } from '../../base/assert.js'
import type { Pixels } from '../../image/pixels.js'
import { resize } from '../../image/resize.js'
import { type Colour, type TokenGroup, tokenGroups } from './token-groups.js'
import { littlePatches, partition, type Trace, type TracedStep } from './traced-steps.js'

/** What became of a patch, in the order in which a legend tells it. */
export const fates = ['bright', 'merged', 'dim', 'fused', 'dropped'] as const

/**
 * `bright`: a token of its own, or on the big path; `merged`: with others in one token; `dim`: on the little path;
 * `fused`: in the token that sums up what was let go.
 */
export type Fate = (typeof fates)[number]

/** How one patch is drawn. */
interface Look {
  readonly fate: Fate
  /** What it is part of together with others; undefined: it is a token of its own, or none. */
  readonly group?: TokenGroup | undefined
  /** What stands instead of the picture. */
  readonly fill?: Colour | undefined
}

/** Share of its brightness that a patch on the little path keeps. */
const dimmed = 0.3
/** Share of grey in its colour, so that a dark bright patch still differs from it. */
const greyed = 0.75
/** How much of the picture shines through the colour of a merged group: enough to recognise what it was. */
const seenInGroup = 0.2
/** Grey of the stripes over dropped patches, above what little of the picture is left below. */
const stripeGrey = 105
const leftOfDropped = 0.12
/** Share of its group's colour in what was summed up, and of white in the dots on it. */
const fusedTint = 0.6
const dotWhite = 0.65
/** How much of the grid's grey shows at a patch's edge. */
const gridOpacity = 0.22
const gridGrey: Colour = [128, 128, 128]
/** Around the bright patches: dark photographs have no other visible difference. */
const brightOutline: Colour = [255, 176, 0]
/** Thin enough to leave most of a small patch to see. */
const thickestOutline = 3
const outlineShare = 0.1

/** Scales a picture up by a whole number, smoothly. */
export function enlarge(picture: Pixels, scale: number): Pixels {
  if (scale === 1) return picture
  return resize(picture, { width: picture.width * scale, height: picture.height * scale, filter: 'bicubic' })
}

/**
 * The picture after a step. Patches with a token of their own stay as they are, with an outline against those that
 * were let go; patches of one token share an outline in their group's colour and are filled with their mean; those on
 * the little path are dimmed, dropped ones striped, fused ones tinted and dotted in their group's colour.
 * @param options `scale`: drawn pixels per pixel of the picture, a whole number; `outlined`: whether bright patches
 *   get their outline (default: where something was let go); `groups`: those of the step, by default as if no step
 *   had been before it
 */
export function drawPanel(
  { picture, grid, patchSize }: Pick<Trace, 'picture' | 'grid' | 'patchSize'>,
  step: TracedStep,
  {
    scale,
    outlined,
    groups = tokenGroups({ grid, steps: [step] })[0] ?? [],
  }: { scale: number; outlined?: boolean | undefined; groups?: readonly TokenGroup[] | undefined },
): Pixels {
  const { width, height, values } = enlarge(picture, scale)
  const side = patchSize * scale
  const looks = looksOf(step, groups, { picture, columns: grid.columns, patchSize })
  const outlines = outlined ?? looks.some(({ fate }) => fate !== 'bright' && fate !== 'merged')
  const lookAt = (row: number, column: number) =>
    column < 0 || column >= grid.columns ? undefined : looks[row * grid.columns + column]

  const drawn = new Uint8ClampedArray(values.length) // it rounds
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / side)
    for (let x = 0; x < width; x++) {
      const column = Math.floor(x / side)
      const at = 3 * (y * width + x)
      const look = defined(lookAt(row, column), 'a patch of the grid')
      const outline =
        outlines || look.group !== undefined
          ? outlineAt(x % side, y % side, {
              side,
              look,
              next: (down, right) => lookAt(row + down, column + right),
            })
          : undefined
      const seen: Colour = [values[at] ?? 0, values[at + 1] ?? 0, values[at + 2] ?? 0]
      const inside = paint(look, seen, { x, y, side })
      const onGrid = look.fill === undefined && (x % side === 0 || y % side === 0)
      drawn.set(outline ?? (onGrid ? mix(inside, gridGrey, gridOpacity) : inside), at)
    }
  }
  return { width, height, values: new Uint8Array(drawn.buffer) }
}

function looksOf(
  step: TracedStep,
  groups: readonly TokenGroup[],
  { picture, columns, patchSize }: { picture: Pixels; columns: number; patchSize: number },
): Look[] {
  const looks: Look[] = step.patchToken.map(() => ({ fate: 'bright' }))
  for (const group of groups) {
    const { patches, fused } = group
    const look: Look = fused
      ? { fate: 'fused', group }
      : { fate: 'merged', group, fill: meanColour(picture, patches, { columns, patchSize }) }
    for (const patch of patches) looks[patch] = look
  }
  for (const patch of littlePatches(step)) looks[patch] = { ...looks[patch], fate: 'dim' }
  for (const patch of partition(step).dropped) looks[patch] = { fate: 'dropped' }
  return looks
}

function meanColour(
  { width, values }: Pixels,
  patches: readonly number[],
  { columns, patchSize }: { columns: number; patchSize: number },
): Colour {
  const sums: [number, number, number] = [0, 0, 0]
  for (const patch of patches) {
    const [top, left] = [Math.floor(patch / columns) * patchSize, (patch % columns) * patchSize]
    for (let y = top; y < top + patchSize; y++) {
      for (let x = left; x < left + patchSize; x++) {
        for (const channel of [0, 1, 2] as const) sums[channel] += values[3 * (y * width + x) + channel] ?? 0
      }
    }
  }
  const [red, green, blue] = sums.map((sum) => sum / (patches.length * patchSize ** 2))
  return [red ?? 0, green ?? 0, blue ?? 0]
}

/** The colour inside a patch. @param x, y, side in drawn pixels of the whole picture */
function paint(
  { fate, group, fill }: Look,
  seen: Colour,
  { x, y, side }: { x: number; y: number; side: number },
): Colour {
  const colour = fill ? mix(fill, seen, seenInGroup) : seen
  switch (fate) {
    case 'bright':
    case 'merged':
      return colour
    case 'dim':
      return scaled(mix(colour, grey(colour), greyed), dimmed)
    case 'fused': {
      const step = Math.max(4, Math.round(side / 4))
      const isDot = Math.hypot((x % step) - step / 2 + 0.5, (y % step) - step / 2 + 0.5) < step / 5
      const tint = defined(group, 'the group of a fused patch').colour
      return isDot ? dotColour(tint) : mix(scaled(grey(colour), 0.55), tint, fusedTint)
    }
    case 'dropped': {
      const step = Math.max(4, Math.round(side / 4))
      return (x + y) % step < Math.max(1, step / 5)
        ? scaled([1, 1, 1], stripeGrey)
        : scaled(grey(colour), leftOfDropped)
    }
  }
}

interface Surroundings {
  readonly side: number
  readonly look: Look
  /** The neighbour so many patches down and right; undefined outside the picture. */
  readonly next: (down: number, right: number) => Look | undefined
}

/** The colour of the outline at a pixel near a patch's edge, if there is one. @param x, y inside the patch */
function outlineAt(x: number, y: number, { side, look, next }: Surroundings): Colour | undefined {
  if (look.fate !== 'bright' && look.group === undefined) return undefined
  const thickness = Math.min(thickestOutline, Math.ceil(outlineShare * side))
  const right = x < thickness ? -1 : x >= side - thickness ? 1 : 0
  const down = y < thickness ? -1 : y >= side - thickness ? 1 : 0
  if (right === 0 && down === 0) return undefined
  // the diagonal neighbour closes the outline at inner corners
  const neighbours = [
    ...(right === 0 ? [] : [next(0, right)]),
    ...(down === 0 ? [] : [next(down, 0)]),
    ...(right === 0 || down === 0 ? [] : [next(down, right)]),
  ]
  if (look.fate === 'fused') {
    // against another such token, on one side of the edge; what is bright has its own outline against both
    const own = defined(look.group, 'the group of a fused patch')
    return neighbours.some((other) => other?.fate === 'fused' && (other.group?.number ?? 0) > own.number)
      ? dotColour(own.colour)
      : undefined
  }
  if (look.group !== undefined) {
    return neighbours.some((other) => other?.group !== look.group) ? look.group.colour : undefined
  }
  const isBright = (other: Look | undefined) => other?.fate === 'bright' || other?.fate === 'merged'
  return neighbours.every(isBright) ? undefined : brightOutline
}

function dotColour(tint: Colour): Colour {
  return mix(tint, [255, 255, 255], dotWhite)
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const one = (channel: 0 | 1 | 2) => from[channel] + (to[channel] - from[channel]) * share
  return [one(0), one(1), one(2)]
}

function scaled([red, green, blue]: Colour, factor: number): Colour {
  return [red * factor, green * factor, blue * factor]
}

function grey([red, green, blue]: Colour): Colour {
  const luma = 0.299 * red + 0.587 * green + 0.114 * blue // Rec. 601, as JPEG's Y
  return [luma, luma, luma]
}
