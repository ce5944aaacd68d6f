import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import type { Dim } from '../graph/dim.js'
import {
  argmax,
  argsort,
  concat,
  gather,
  reduceMax,
  reduceSum,
  reshape,
  scaleShift,
  slice,
  sort,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { BlockHooks, TokenState } from '../models/block-loop.js'
import type { ReduceEvent } from '../models/token-history.js'
import type { AttentionView } from '../nn/attention.js'
import { widthOf } from '../nn/linear.js'
import {
  assertMergeable,
  cosines,
  halves,
  ones,
  placeOfDestination,
  placeOfSource,
  proportionalBias,
} from './bipartite.js'
import { averagedBy, indices, type Joining, joined } from './joining.js'
import { candidatesOf } from './keep-best.js'
import { counts, flag, namedNumber } from './parameters.js'
import type { Reduction } from './reduction.js'

const parameters = z.object({
  r: counts,
  schedule: namedNumber(
    z.number().min(-1).max(1),
    { constant: 0, decreasing: -1, increasing: 1 },
    'constant, decreasing, increasing, or a number from -1 (decreasing) to 1',
  ).default(0),
  proportional: flag.default(true),
})

/**
 * r for each block (§3 "Token merging schedule"): one r for all; or from `2r` down to 0 with an inflection of −1, from
 * 0 up to `2r` with 1, in between with numbers in between.
 */
export function mergingSchedule(depth: number, r: number, inflection = 0): readonly number[] {
  const first = Math.trunc(r * (1 - inflection))
  const step = depth > 1 ? (2 * r - 2 * first) / (depth - 1) : 0
  return Array.from({ length: depth }, (_, block) => Math.trunc(first + step * block))
}

/** What tokens are compared by: their keys, averaged over the heads (§3, "Token similarity"). `[batch, keys, headWidth]` */
export function similarityMetric({ k, heads }: Pick<AttentionView, 'k' | 'heads'>): Tensor {
  const [batch, tokens, headWidth] = [sizeAt(k, 0), sizeAt(k, 1), widthOf(k) / heads]
  const total = reduceSum(reshape(k, [batch, tokens, heads, headWidth]), { axes: [2] })
  return scaleShift(reshape(total, [batch, tokens, headWidth]), { scale: 1 / heads })
}

/**
 * Who merges into whom: bipartite soft matching (§3). Each token of the one half chooses the most similar one of the
 * other; the r most similar pairs merge.
 */
interface Matching {
  /** Cosine to the chosen one, of each source. `[batch, sources]` */
  readonly similarity: Tensor
  /** Which sources merge, the most similar first. int64 `[batch, r]` */
  readonly merged: Tensor
  /** Which destination each of them becomes part of. int64 `[batch, r]` */
  readonly into: Tensor
  /** The other sources, ascending; undefined if there are none. int64 `[batch, sources − r]` */
  readonly unmerged: Tensor | undefined
}

/** @param metric `[batch, sources, headWidth]` and `[batch, destinations, headWidth]` */
function match(sources: Tensor, destinations: Tensor, r: number): Matching {
  const [batch, count] = [sizeAt(sources, 0), Number(sizeAt(sources, 1))]
  const alike = cosines({ sources, destinations })
  const similarity = reshape(reduceMax(alike), [batch, count])
  const order = argsort(similarity)
  const merged = slice(order, { axis: 1, end: r })
  return {
    similarity,
    merged,
    into: gather(argmax(alike), merged),
    // an engine needn't know tensors without elements: ONNX Runtime's WebGPU provider doesn't
    unmerged: r < count ? sort(slice(order, { axis: 1, start: r })) : undefined,
  }
}

function eventOf(
  { prefix }: TokenState,
  { candidates, r, layer }: { candidates: number; r: number; layer: number },
  { unmerged: stays, ...matching }: Matching,
): ReduceEvent {
  return {
    kind: 'reduce',
    layer,
    tokensAfter: prefix + candidates - r,
    tensors: { ...matching, ...(stays && { unmerged: stays }) },
    assignment: ({ merged = [], into = [], unmerged = [] }) => {
      const sources = merged.length + unmerged.length
      const placeAfter = (destination: number) => prefix + sources - r + destination
      const after = Array.from({ length: prefix + candidates }, (_, token) =>
        // a destination keeps its place behind the unmerged sources
        token < prefix ? token : placeAfter(Math.floor((token - prefix) / 2)),
      )
      unmerged.forEach((source, place) => {
        after[placeOfSource(prefix, source)] = prefix + place
      })
      merged.forEach((source, i) => {
        after[placeOfSource(prefix, source)] = placeAfter(into[i] ?? -1)
      })
      return after
    },
  }
}

/** The pairs that merge, among all tokens: those that are left are the prefix, the other sources and all destinations. */
function joiningOf(
  { merged, into, unmerged }: Matching,
  { batch, prefix, sources, candidates }: { batch: Dim; prefix: number; sources: number; candidates: number },
): Joining {
  const destinations = candidates - sources
  const sourcePlaces = indices(batch, sources, (source) => placeOfSource(prefix, source))
  const left = sources - Number(sizeAt(merged, 1))
  const stay = [
    ...(prefix > 0 ? [indices(batch, prefix, (token) => token)] : []),
    ...(unmerged ? [gather(sourcePlaces, unmerged)] : []),
    indices(batch, destinations, (destination) => placeOfDestination(prefix, destination)),
  ]
  const placesAfter = indices(batch, destinations, (destination) => prefix + left + destination)
  return {
    stay: concat(stay, { axis: 1 }),
    gone: gather(sourcePlaces, merged),
    into: gather(placesAfter, into),
  }
}

/** Merges r pairs of patches: the average of all that a token stands for, weighted by how many that is. */
function merge(state: TokenState, metric: Tensor, r: number, layer: number): TokenState {
  const { tokens, prefix } = state
  const candidates = candidatesOf(state)
  const batch = sizeAt(tokens, 0)
  const { sources, destinations } = halves(metric, prefix)
  const matching = match(sources, destinations, r)
  const of = { batch, prefix, candidates, sources: Number(sizeAt(sources, 1)) }
  const joining = joiningOf(matching, of)
  const sizes = state.size ?? ones(batch, prefix + candidates)
  return {
    ...state,
    tokens: averagedBy(sizes, joining)(tokens),
    size: joined(sizes, joining),
    history: [...state.history, eventOf(state, { candidates, r, layer }, matching)],
  }
}

/**
 * Token merging between attention and MLP of every block (Bolya et al. 2023, §3).
 * @param r how many tokens merge away in each block, from the first; at most half of the patches can
 * @param options `proportional`: for models that weren't trained with merging
 */
export function tokenMerging(
  r: readonly number[],
  { proportional }: { readonly proportional: boolean },
): BlockHooks {
  return {
    attend: (view, { size }) =>
      proportional && size ? { output: view.output({ bias: proportionalBias(size) }) } : undefined,
    between: (state, { layer, attention }) => {
      const merging = Math.min(r[layer - 1] ?? 0, Math.floor(candidatesOf(state) / 2))
      if (merging <= 0) return undefined
      return scope('tome', () => merge(state, similarityMetric(attention), merging, layer))
    },
  }
}

export const tome: Reduction<typeof parameters> = {
  name: 'tome',
  about: 'merges the r most similar pairs of patches in every block',
  training: 'none',
  paper: 'Bolya et al., "Token Merging: Your ViT But Faster", ICLR 2023',
  example: 'tome:8',
  main: 'r',
  // of a layer's tokens at most half can join others
  steps: ({ patches }) =>
    Array.from({ length: Math.floor(patches / 2) }, (_, i) => `${Math.floor(patches / 2) - i}`),
  parameters,
  parametersAbout: {
    r: 'how many tokens merge into others in each block; at most half of the patches can',
    schedule: 'how r is spread: decreasing merges 2r in the first block and none in the last',
    proportional:
      'whether attention counts a token as often as it has patches; false is for models that learned with merging',
  },
  hooks: ({ depth, patches }, { r, schedule, proportional }) => {
    const [only, ...others] = r
    for (const each of r) assertMergeable('tome', each, { patches })
    if (r.length > depth) {
      const message = `tome has ${r.length} numbers of tokens for ${depth} blocks. Give one number, or at most ${depth}.`
      throw new BlvitError('BAD_OPTION', message, { r, depth })
    }
    if (others.length > 0 && schedule !== 0) {
      const message = `tome's schedule is for a single r, but r is ${r.join('/')}. Give one number, or no schedule.`
      throw new BlvitError('BAD_OPTION', message, { r, schedule })
    }
    const perBlock = others.length > 0 ? r : mergingSchedule(depth, only ?? 0, schedule)
    return tokenMerging(perBlock, { proportional })
  },
}
