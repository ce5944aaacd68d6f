import { z } from 'zod'
import { defined } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import { plus } from '../graph/dim.js'
import {
  add,
  compact,
  concat,
  expand,
  gather,
  greater,
  input,
  reduceMax,
  reshape,
  slice,
  table,
  where,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { Architecture } from '../models/architecture.js'
import type { BlockHooks, TokenState } from '../models/block-loop.js'
import type { ReduceEvent } from '../models/token-history.js'
import { prefixOf } from './keep-best.js'
import { flag } from './parameters.js'
import type { ReducedModel, Reduction } from './reduction.js'
import {
  emptyMask,
  type Grid,
  maskOfText,
  type PatchBits,
  readTokenMask,
  shortTextOfMask,
  type TokenMask,
  textOfMask,
} from './token-mask.js'

/** The first block's attention map of a model with all its tokens. `[batch, heads, tokens, tokens]` */
export function firstAttention({ build }: Pick<Architecture, 'build'>): Tensor {
  let map: Tensor | undefined
  build({
    hooks: {
      attend: (view, _, { layer }) => {
        if (layer === 1) map = view.map()
        return undefined
      },
    },
  })
  return defined(map, 'a first block')
}

/**
 * a of a picture (equation 1): what each token receives in the first block, on average over heads and over all queries.
 * Sums are taken in float64: of thousands of tokens each number is below a thousandth.
 * @param map softmax(q·kᵀ/√d) of all tokens. `[heads, queries, tokens]`
 * @returns `[tokens]`; they add up to 1
 */
export function attentionReceived(
  map: Float32Array,
  { heads, tokens }: { readonly heads: number; readonly tokens: number },
): Float64Array {
  const received = new Float64Array(tokens)
  for (let row = 0; row < heads * tokens; row++) {
    for (let token = 0; token < tokens; token++) {
      received[token] = (received[token] ?? 0) + (map[row * tokens + token] ?? 0)
    }
  }
  return received.map((sum) => sum / (heads * tokens))
}

/** Whose mean a patch must receive more than: that of the patches, or of all tokens, of which a class token draws much. */
export type StaticThreshold = 'patches' | 'all'

/**
 * Static region tokens s (equation 2): patches that receive more than the average does, over many pictures.
 * @param means of {@link attentionReceived} over pictures. `[prefix + patches]`
 */
export function staticRegion(
  means: Float64Array,
  { prefix, threshold }: { readonly prefix: number; readonly threshold: StaticThreshold },
): PatchBits {
  const patches = means.subarray(prefix)
  const compared = threshold === 'patches' ? patches : means
  const mean = compared.reduce((sum, value) => sum + value, 0) / compared.length
  return Array.from(patches, (value) => value > mean)
}

/** What a detector says of each pixel, 1 where there is something, row by row. */
export interface Detected {
  readonly height: number
  readonly width: number
  readonly values: Uint8Array
}

/** Grows what was detected by a radius in pixels: max pooling of kernel 2·radius + 1, with nothing outside the picture. */
export function dilated({ height, width, values }: Detected, radius: number): Detected {
  // a square is its width along rows, then its height along columns
  const grown = (from: Uint8Array, count: number, step: number, size: number, across: number) => {
    const to = new Uint8Array(from.length)
    for (let line = 0; line < count; line++) {
      const start = line * across
      for (let at = 0; at < size; at++) {
        if (!from[start + at * step]) continue
        const end = Math.min(size - 1, at + radius)
        for (let near = Math.max(0, at - radius); near <= end; near++) to[start + near * step] = 1
      }
    }
    return to
  }
  const alongRows = grown(values, height, 1, width, width)
  return { height, width, values: grown(alongRows, width, width, height, 1) }
}

/** Object region tokens D(i): the patches in which anything was detected. Pixels beyond the last whole patch are no patch's. */
export function objectRegion(detected: Detected, { rows, columns }: Grid, patchSize: number): PatchBits {
  return Array.from({ length: rows * columns }, (_, patch) => {
    const [top, left] = [Math.floor(patch / columns) * patchSize, (patch % columns) * patchSize]
    for (let y = top; y < top + patchSize; y++) {
      const start = y * detected.width + left
      if (detected.values.subarray(start, start + patchSize).some((pixel) => pixel !== 0)) return true
    }
    return false
  })
}

/** m = s ∨ D(i) */
export function union(a: PatchBits, b: PatchBits): PatchBits {
  return a.map((bit, patch) => bit || b[patch] === true)
}

function indicesOf(bits: PatchBits): readonly number[] {
  return bits.flatMap((bit, patch) => (bit ? [patch] : []))
}

/** Where each token goes, of a mask. */
function assignmentOf(prefix: number, bits: PatchBits): readonly number[] {
  const places = new Map(indicesOf(bits).map((patch, place) => [patch, prefix + place]))
  const after = bits.map((_, patch) => places.get(patch) ?? -1)
  return [...Array.from({ length: prefix }, (_, token) => token), ...after]
}

/**
 * f of the paper before the first block: the prefix and some patches, in their order. Their positions have been added, so
 * that each knows where it is from.
 * @param kept which patches, the same of all pictures. int64 `[1, kept]`
 */
function filtered(
  { tokens, prefix, ...state }: TokenState,
  kept: Tensor,
  event: Pick<ReduceEvent, 'tensors' | 'assignment'>,
): TokenState {
  const [batch, count] = [sizeAt(tokens, 0), sizeAt(kept, 1)]
  const patches = gather(slice(tokens, { axis: 1, start: prefix }), expand(kept, [batch, count]))
  const tokensAfter = plus(count, prefix)
  return {
    ...state,
    prefix,
    tokens: concat([...prefixOf(tokens, prefix), patches], { axis: 1 }),
    history: [...state.history, { kind: 'reduce', layer: 0, tokensAfter, ...event }],
  }
}

/** Filters all pictures by one mask, which is a constant of the graph. @param bits m, not all 0. `[patches]` */
export function tokenFiltering(bits: PatchBits): BlockHooks {
  const kept = indicesOf(bits)
  const filter = (state: TokenState) =>
    filtered(state, table(kept, [1, kept.length], { dtype: 'int64' }), {
      tensors: {},
      assignment: () => assignmentOf(state.prefix, bits),
    })
  return { start: (state) => (bits.every(Boolean) ? undefined : scope('atf', () => filter(state))) }
}

/** The input that says where the objects of a run's pictures are: 1 for their patches, else 0. `[patches]` */
export const objectsInput = 'object_mask'

/**
 * Filters by a mask and by what a run says of its pictures, which is an input of the graph: how many tokens are left is
 * known then.
 * @param bits what stays in any case; perhaps nothing. `[patches]` @param best stays where nothing else would
 */
function objectFiltering(bits: PatchBits, best: number): BlockHooks {
  const patches = bits.length
  const filter = (state: TokenState) => {
    // s ∨ D(i)
    const marked = greater(add(input(objectsInput, [patches]), table(bits.map(Number), [patches])), 0)
    const isMarked = greater(reduceMax(marked), 0)
    const alone = table(
      bits.map((_, patch) => Number(patch === best)),
      [patches],
    )
    const mask = where(isMarked, marked, alone)
    const all = table(Array.from(bits.keys()), [patches], { dtype: 'int64' })
    const kept = compact(all, mask, { size: 'kept' })
    const batch = sizeAt(state.tokens, 0)
    return filtered(state, reshape(kept, [1, sizeAt(kept, 0)]), {
      tensors: { mask: expand(reshape(mask, [1, patches]), [batch, patches]) },
      assignment: (values) => assignmentOf(state.prefix, values.mask?.map(Boolean) ?? []),
    })
  }
  return { inputs: [objectsInput], start: (state) => scope('atf', () => filter(state)) }
}

/** s ∨ D(i) of a mask, perhaps nothing. */
function markedPatches({ grid, objects, ...mask }: TokenMask, { withStatic = true }): PatchBits {
  const none = Array.from({ length: grid.rows * grid.columns }, () => false)
  return union((withStatic ? mask.static : undefined) ?? none, objects ?? none)
}

/** m = s ∨ D(i); where that is empty the patch that matters most stays. @throws BlvitError `BAD_OPTION` for nothing */
export function keptPatches(mask: TokenMask, { withStatic = true } = {}): PatchBits {
  const bits = markedPatches(mask, { withStatic })
  if (bits.includes(true)) return bits
  if (mask.best === undefined) throw emptyMask(mask.name)
  return bits.with(mask.best, true)
}

/** What a file holds, or the name of one that nobody has read yet. */
const fileOrMask = z.codec(z.string().min(1), z.custom<TokenMask | string>(), {
  decode: (text) => maskOfText(text) ?? text,
  encode: (mask) => (typeof mask === 'string' ? mask : textOfMask(mask)),
})

const parameters = z.object({
  mask: fileOrMask.describe('a file that blvit calibrate atf wrote'),
  static: flag.default(true),
  objects: z.enum(['fixed', 'given']).describe('fixed or given').default('fixed'),
})

function unread(name: string): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    `${name} hasn't been read. The command line and load() read it; give other functions what readSettings({ reduce: 'atf:${name}' }) ` +
      "makes of it, and in a browser reduce: 'atf:' + tokenMaskText(json).",
    { mask: name },
  )
}

function uncalibrated(name: string): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    `With objects=given ${name} must be calibrated, or nothing says which patch stays of a picture without an object: ` +
      'blvit calibrate atf -m <model> --data photos/ -o mask.json.',
    { mask: name },
  )
}

function wrongGrid({ name, grid: { rows, columns } }: TokenMask, { grid }: ReducedModel): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    `${name} is a mask of ${rows} × ${columns} patches, but this model's pictures have ${grid.rows} × ${grid.columns}. ` +
      'Calibrate one for this model and size of pictures: blvit calibrate atf -m <model> --data photos/ -o mask.json.',
    { mask: { rows, columns }, grid },
  )
}

export const atf: Reduction<typeof parameters> = {
  name: 'atf',
  about:
    'keeps, before the first block, the patches to which attention usually goes (measured once, on sample pictures) and those of ' +
    'an object, if it is told where that is',
  training: 'none',
  paper:
    'Naruko and Akutsu, "Speed-up of Vision Transformer Models by Attention-aware Token Filtering", 2025',
  example: 'atf:mask.json',
  main: 'mask',
  parameters,
  parametersAbout: {
    mask: 'the mask of patches, for one model and one size of pictures',
    static: 'whether the patches stay to which attention usually goes, instead of those of the object alone',
    objects:
      "whether the object's patches are those of the mask, if any, or are also given with each picture, in the library",
  },
  files: {
    mask: {
      isRead: (text) => maskOfText(text) !== undefined,
      read: (content, path) => textOfMask(readTokenMask(content, path)),
    },
  },
  brief: ({ mask, ...texts }) => ({ ...texts, mask: shortTextOfMask(mask) }),
  hooks: (model, { mask, static: withStatic, objects }) => {
    if (typeof mask === 'string') throw unread(mask)
    const { rows, columns } = mask.grid
    if (rows !== model.grid.rows || columns !== model.grid.columns) throw wrongGrid(mask, model)
    if (objects === 'fixed') return tokenFiltering(keptPatches(mask, { withStatic }))
    if (mask.best === undefined) throw uncalibrated(mask.name)
    return objectFiltering(markedPatches(mask, { withStatic }), mask.best)
  },
}
