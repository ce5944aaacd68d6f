import { BlvitError } from '../../../base/blvit-error.js'
import { type Deal, isDealt } from '../../../base/shard.js'
import type { DataItem, DataSet } from '../../../data/data-set.js'
import type { PictureOutcome } from './picture-outcome.js'

interface RemainingOptions {
  readonly earlier: readonly PictureOutcome[]
  readonly deal: Deal
  /** Of all items, not of the shard's. */
  readonly limit?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the place in the data set of each item of the shard, those that were done included. */
  readonly onPlace: (place: number) => void
}

/**
 * A shard's items of a data set after those that were done, up to a limit.
 * @throws BlvitError `BAD_DATA` if its items don't begin with those that were done
 */
export async function* remainingItems(
  data: DataSet,
  { earlier, deal, limit = Number.POSITIVE_INFINITY, signal, onPlace }: RemainingOptions,
): AsyncGenerator<DataItem> {
  let place = 0
  let dealt = 0
  for await (const item of data.items({ signal })) {
    if (isDealt(place, deal)) {
      onPlace(place)
      const done = earlier[dealt++]
      if (done === undefined) yield item
      else if (!isSame(item, done)) throw changed(data, `${done.name} stood where ${item.name} is now`)
    }
    place += 1
    if (place >= limit) break
  }
  if (dealt < earlier.length)
    throw changed(data, `${earlier.length} pictures were done, and only ${dealt} of them are there now`)
}

function isSame(item: DataItem, done: PictureOutcome): boolean {
  return item.name === done.name && ('error' in item ? undefined : item.label) === done.label
}

function changed(data: DataSet, how: string): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `${data.name} has changed since the evaluation began (${how}). Delete the state file and begin again.`,
  )
}
