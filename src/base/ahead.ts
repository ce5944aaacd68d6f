import { checkWholeNumbers } from './whole-number.js'

/** A promise that is awaited in its turn; without this a failure in between would count as unhandled. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

/**
 * Prepares items in their order and ahead of whoever takes them: what `prepare` awaits (decoding on other threads) goes
 * on while the caller awaits its engine.
 * @param options `ahead`: items that are in work or ready while the caller has one
 * @throws what the items or `prepare` throw, at the item where it happened
 */
export async function* preparedAhead<Item, Prepared>(
  items: AsyncIterable<Item> | Iterable<Item>,
  prepare: (item: Item) => Promise<Prepared>,
  { ahead }: { readonly ahead: number },
): AsyncGenerator<Prepared> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  let reading: Promise<unknown> = Promise.resolve()
  /** Undefined at the end. */
  const startNext = (): Promise<{ prepared: Prepared } | undefined> => {
    // one after the other, as an iterator wants to be asked
    const read = reading.then(() => iterator.next())
    reading = read
    return handled(
      read.then(async ({ done, value }) => (done ? undefined : { prepared: await prepare(value) })),
    )
  }
  const waiting = Array.from({ length: ahead }, startNext)
  try {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const item = await next
      if (!item) return
      waiting.push(startNext())
      yield item.prepared
    }
  } finally {
    await reading.catch(() => {})
    await iterator.return?.()
  }
}

// Of pictures of 224 × 224, 2.5 GB; more than that at once is a slip of the keyboard.
const mostInBatch = 4096

/** @throws BlvitError `BAD_OPTION` for a batch that no memory holds */
export function checkBatch(batch: number | undefined): void {
  checkWholeNumbers({ batch }, { most: mostInBatch })
}

export interface PreparedBatchesOptions {
  /** Items a batch; the last one may have fewer. */
  readonly batch: number
  /** Batches that are being prepared while the caller works on one. Default 2. */
  readonly ahead?: number | undefined
}

/**
 * {@link preparedAhead} in batches. At most `ahead` of them wait in memory.
 * @throws what the items or `prepare` throw, at the batch where it happened
 */
export async function* preparedBatches<Item, Prepared>(
  items: AsyncIterable<Item> | Iterable<Item>,
  prepare: (item: Item) => Promise<Prepared>,
  { batch, ahead = 2 }: PreparedBatchesOptions,
): AsyncGenerator<Prepared[]> {
  let filling: Prepared[] = []
  for await (const prepared of preparedAhead(items, prepare, { ahead: batch * ahead })) {
    filling.push(prepared)
    if (filling.length < batch) continue
    yield filling
    filling = []
  }
  if (filling.length > 0) yield filling
}
