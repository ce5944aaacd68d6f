import { preparedAhead } from '../../../base/ahead.js'
import { BlvitError, throwIfAborted } from '../../../base/blvit-error.js'
import { seededRandom } from '../../../base/random.js'
import { checkWholeNumbers } from '../../../base/whole-number.js'
import type { BadSample, Sample } from '../../../data/data-set.js'
import { openDataSet } from '../../../data/open-data-set.js'
import type { Architecture } from '../../../models/architecture.js'
import { type Problem, rowOf } from '../../../problems/problem.js'
import {
  atf,
  attentionReceived,
  firstAttention,
  type StaticThreshold,
  staticRegion,
} from '../../../reduction/atf.js'
import { reducedModel } from '../../../reduction/reduction.js'
import { type PatchBits, type TokenMaskJson, tokenMaskJson } from '../../../reduction/token-mask.js'
import type { Model } from '../../model.js'

export interface CalibrateOptions {
  /** Pictures that are drawn, without putting any back; of fewer all are taken. Default 128, as in the paper. */
  readonly pictures?: number | undefined
  /** Of the draw. Default 0. */
  readonly seed?: number | undefined
  /** What a patch must receive more than: the mean of the patches, or of all tokens. Default `patches`. */
  readonly threshold?: StaticThreshold | undefined
  /** Patches of an object that stay too. Default: none. */
  readonly objects?: PatchBits | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined
  /** Told of each picture that can't be used. */
  readonly onFailure?: ((failure: BadSample) => void) | undefined
}

export interface Calibrated {
  /** What is to be written to a file. */
  readonly mask: TokenMaskJson
  /** Pictures that were drawn and can't be used. */
  readonly failures: readonly BadSample[]
}

/** A mask of an object alone, for a model that nobody has calibrated. @throws BlvitError `BAD_OPTION` for a model that ATF isn't for */
export function maskOfObjects(
  { architecture }: Pick<Model, 'architecture'>,
  objects: PatchBits | undefined,
): TokenMaskJson {
  return tokenMaskJson(reducedModel(atf, architecture).grid, { objects })
}

/** What each token of a picture receives in the first block, all tokens being there. `[prefix + patches]` */
function attentionReceivedIn(architecture: Architecture): Problem<Float64Array> {
  return {
    name: 'attention received',
    outputs: () => ({ map: firstAttention(architecture) }),
    answer: (rows) => {
      const { shape, values } = rowOf(rows, 'map')
      const [heads = 0, , tokens = 0] = shape
      return attentionReceived(values, { heads, tokens })
    },
  }
}

/** Places of a draw without putting back, ascending. */
function drawn(of: number, wanted: number, seed: number): ReadonlySet<number> {
  const random = seededRandom(seed, 'calibration')
  const places = Array.from({ length: of }, (_, place) => place)
  for (let i = 0; i < Math.min(wanted, of); i++) {
    const other = i + Math.floor(random() * (of - i))
    const [a, b] = [places[i] ?? 0, places[other] ?? 0]
    places[i] = b
    places[other] = a
  }
  return new Set(places.slice(0, wanted))
}

/** The items of some data that are drawn, in their order; what is read of the others is let go. */
async function drawnItems(
  data: string | readonly string[],
  { pictures, seed, signal }: { pictures: number; seed: number; signal: AbortSignal | undefined },
) {
  const dataSet = await openDataSet(data, { labels: 'ignored' })
  let count = 0
  for await (const _ of dataSet.items({ signal })) count += 1
  if (count === 0) throw new BlvitError('BAD_DATA', `${dataSet.name} holds no pictures.`)
  const places = drawn(count, pictures, seed)
  async function* items() {
    let place = 0
    for await (const item of dataSet.items({ signal })) if (places.has(place++)) yield item
  }
  return { items, total: places.size, name: dataSet.name }
}

type Prepared = Sample & { readonly pixels: Float32Array }

async function prepared(model: Model, item: Sample | BadSample, signal: AbortSignal | undefined) {
  if ('error' in item) return item
  try {
    return { ...item, pixels: await model.prepare(item.source, { signal }) } satisfies Prepared
  } catch (thrown) {
    if (!(thrown instanceof BlvitError) || thrown.code === 'ABORTED') throw thrown
    return { name: item.name, error: thrown } satisfies BadSample
  }
}

/**
 * Finds the static region tokens of a model at its size of pictures (ATF, equations 1 and 2): the patches to which the
 * attention of its first block usually goes.
 * @param data as for {@link openDataSet}; labels don't matter
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`, `BAD_OPTION` for a model that ATF isn't for, `ENGINE`, `ABORTED`
 * @example
 * const { mask } = await calibrateTokenMask(model, 'photos/')
 * const filtered = await load('vit-tiny', { reduce: `atf:${tokenMaskText(mask)}` })
 */
export async function calibrateTokenMask(
  model: Model,
  data: string | readonly string[],
  options: CalibrateOptions = {},
): Promise<Calibrated> {
  const { pictures = 128, seed = 0, threshold = 'patches', objects, signal, onProgress, onFailure } = options
  checkWholeNumbers({ pictures })
  const { architecture } = model
  const { grid, prefix, image } = architecture
  reducedModel(atf, architecture)
  const problem = attentionReceivedIn(architecture)
  const draw = await drawnItems(data, { pictures, seed, signal })
  const sums = new Float64Array(prefix + grid.rows * grid.columns)
  const failures: BadSample[] = []
  let done = 0
  for await (const item of preparedAhead(draw.items(), (each) => prepared(model, each, signal), {
    ahead: 4,
  })) {
    throwIfAborted(signal)
    if ('error' in item) {
      failures.push(item)
      onFailure?.(item)
    } else {
      const [{ answer: received = new Float64Array() } = {}] = await model.answerPrepared(
        problem,
        [item.pixels],
        { signal },
      )
      received.forEach((value, token) => {
        sums[token] = (sums[token] ?? 0) + value
      })
    }
    done += 1
    onProgress?.({ done, total: draw.total })
  }
  const used = draw.total - failures.length
  if (used === 0) {
    const why = failures[0]?.error.message
    throw new BlvitError(
      'BAD_DATA',
      `None of the ${draw.total} pictures of ${draw.name} can be used. The first: ${why}`,
    )
  }
  const means = sums.map((sum) => sum / used)
  return {
    failures,
    mask: tokenMaskJson(grid, {
      static: staticRegion(means, { prefix, threshold }),
      objects,
      calibration: {
        model: model.name,
        fingerprint: await model.fingerprint(),
        image: { height: image.height, width: image.width },
        pictures: used,
        ...{ seed, threshold },
        prefixTokens: prefix,
        attentionReceived: Array.from(means),
      },
    }),
  }
}
