import { BlvitError } from '../../../base/blvit-error.js'
import type { DataItem, DataSet } from '../../../data/data-set.js'
import type { PictureOutcome } from './picture-outcome.js'

/**
 * The items of a data set after those that were done, up to a limit.
 * @throws BlvitError `BAD_DATA` if the data set doesn't begin with those that were done
 */
export async function* remainingItems(
  data: DataSet,
  {
    earlier,
    limit = Number.POSITIVE_INFINITY,
    signal,
  }: { earlier: readonly PictureOutcome[]; limit?: number | undefined; signal?: AbortSignal | undefined },
): AsyncGenerator<DataItem> {
  let position = 0
  if (earlier.length >= limit) return
  for await (const item of data.items({ signal })) {
    const done = earlier[position]
    if (done === undefined) yield item
    else if (!isSame(item, done)) throw changed(data, `${done.name} stood where ${item.name} is now`)
    position += 1
    if (position >= limit) return
  }
  if (position < earlier.length)
    throw changed(data, `it had ${earlier.length} pictures and has ${position} now`)
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
