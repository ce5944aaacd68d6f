import { BlvitError } from '../../base/blvit-error.js'
import type { DataSet } from '../../data/data-set.js'
import type { Bindings } from '../../graph/dim.js'
import { countedSizes } from '../../problems/counted-sizes.js'
import type { Settings } from '../../settings/settings.js'
import type { Model } from '../model.js'

/** Pictures that a mean is taken of: a count of tokens spreads by a tenth of itself, so that it is known to 1 %. */
const picturesCounted = 128

/** What pictures decided, on average. */
export interface MeanSizes {
  readonly pictures: number
  readonly sizes: Bindings
}

/**
 * The mean of each size that pictures decide, over the first pictures of a data set, each alone.
 * @throws BlvitError as `Model.answer`; a picture that can't be read is passed over
 */
export async function meanSizes(
  model: Model,
  settings: Settings,
  { dataSet, signal }: { readonly dataSet: DataSet; readonly signal: AbortSignal | undefined },
): Promise<MeanSizes> {
  const sums: Record<string, number> = {}
  let pictures = 0
  for await (const item of dataSet.items({ signal })) {
    if (pictures === picturesCounted) break
    if ('error' in item) continue
    try {
      const [answered] = await model.answer(countedSizes, item.source, { ...settings, signal })
      for (const [size, count] of Object.entries(answered?.answer ?? {}))
        sums[size] = (sums[size] ?? 0) + count
      pictures += 1
    } catch (thrown) {
      if (!(thrown instanceof BlvitError) || thrown.code !== 'BAD_IMAGE') throw thrown
    }
  }
  const mean = Object.entries(sums).map(([size, sum]) => [size, sum / pictures])
  return { pictures, sizes: Object.fromEntries(mean) }
}
