import type { Pixels } from '../../image/pixels.js'
import type { ScoredLabel } from '../../problems/classify.js'

/** The way of a picture's tokens through a model: plain data that knows no model and no method. */
export interface Trace {
  readonly grid: { readonly rows: number; readonly columns: number }
  /** Side of a patch in pixels. */
  readonly patchSize: number
  /** What the model was run with, for people: `keep ratio 0.25`, `evit:0.7`; empty where nothing was set. */
  readonly setting: string
  /** In the order in which they happen; none for a model that treats all tokens alike. */
  readonly steps: readonly TracedStep[]
  /** What the model does with patches on either path; absent where no step chooses a path. */
  readonly paths?: PathWords | undefined
  readonly top: readonly ScoredLabel[]
  /** The picture as the model saw it: resized and cropped. */
  readonly picture: Pixels
}

/** What happens to patches on the two paths, e.g. `big P-block + little E-block`. */
export interface PathWords {
  readonly big: string
  readonly little: string
  /** What the patches on the big one do, behind their number. Default: `take the big path`. */
  readonly does?: string
}

/** How things stand after a model has let go, joined or sorted tokens. Patches count from 0, row by row. */
export interface TracedStep {
  /** The layer in or after which it happened, counted from 1; 0: before the first. */
  readonly afterLayer: number
  /** Tokens from here on, without prefix tokens, with the fused one. */
  readonly tokens: number
  /** For each patch the number of the token that it is part of, −1 if it was dropped; numbers are names only. */
  readonly patchToken: readonly number[]
  /** The tokens that sum up what was let go: one for each time that it was, as far as they are still there. */
  readonly fused?: readonly number[] | undefined
  /** The patches that take the big path in `layers`, ascending; absent where no path is chosen. */
  readonly big?: readonly number[] | undefined
  /** The layers that `big` is about, counted from 1; none if it is replaced before one routes. */
  readonly layers?: readonly number[] | undefined
  /** What else was decided about them for this picture, in words: `MLP skipped`. */
  readonly decided?: readonly string[] | undefined
  /** The score of every patch. */
  readonly scores?: readonly number[] | undefined
}

/** Where the patches of a step are: every patch is in exactly one of the lists. Ascending patch indices. */
export interface Partition {
  /** A token each. */
  readonly kept: readonly number[]
  /** Several patches in one token, a list for each, by their first patch. */
  readonly merged: readonly (readonly number[])[]
  /** In tokens that sum up what was let go, a list for each. */
  readonly fused: readonly (readonly number[])[]
  readonly dropped: readonly number[]
}

/** Sorts the patches of a step. */
export function partition({ patchToken, fused = [] }: TracedStep): Partition {
  const members = new Map<number, number[]>()
  patchToken.forEach((token, patch) => {
    const own = members.get(token)
    if (own) own.push(patch)
    else members.set(token, [patch])
  })
  const tokens = [...members].flatMap(([token, patches]) =>
    token < 0 || fused.includes(token) ? [] : [patches],
  )
  return {
    kept: tokens.flatMap((patches) => (patches.length === 1 ? patches : [])),
    merged: tokens.filter((patches) => patches.length > 1),
    fused: fused.flatMap((token) => [members.get(token) ?? []]).filter((patches) => patches.length > 0),
    dropped: members.get(-1) ?? [],
  }
}

/** The patches that a step sends on the little path: alive, and not on the big one. */
export function littlePatches(step: TracedStep): readonly number[] {
  if (!step.big) return []
  const big = new Set(step.big)
  const { fused, dropped } = partition(step)
  const gone = new Set([...fused.flat(), ...dropped])
  return step.patchToken.flatMap((_, patch) => (big.has(patch) || gone.has(patch) ? [] : [patch]))
}

/** The number of patches. */
export function patchesOf({ grid }: Pick<Trace, 'grid'>): number {
  return grid.rows * grid.columns
}
