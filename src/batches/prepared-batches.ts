export interface PreparedBatchesOptions {
  /** Items a batch; the last one may have fewer. */
  readonly batch: number
  /** Batches that are being prepared while the caller works on one. Default 2. */
  readonly ahead?: number | undefined
}

/**
 * Prepares items in batches, in order and ahead of whoever takes them: what `prepare` awaits (decoding on other
 * threads) goes on while the caller awaits its engine. At most `ahead` batches wait in memory.
 * @throws what the items or `prepare` throw, at the batch where it happened
 */
export async function* preparedBatches<Item, Prepared>(
  items: AsyncIterable<Item> | Iterable<Item>,
  prepare: (item: Item) => Promise<Prepared>,
  { batch, ahead = 2 }: PreparedBatchesOptions,
): AsyncGenerator<Prepared[]> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  let reading: Promise<unknown> = Promise.resolve()

  const readBatch = async (): Promise<Promise<Prepared>[]> => {
    const started: Promise<Prepared>[] = []
    while (started.length < batch) {
      const { done, value } = await iterator.next()
      if (done) break
      started.push(handled(prepare(value)))
    }
    return started
  }
  const startBatch = (): Promise<Prepared[]> => {
    // One batch reads after the other, or they would share the items between them.
    const read = reading.then(readBatch)
    reading = read
    return handled(read.then((started) => Promise.all(started)))
  }

  const waiting = Array.from({ length: ahead }, startBatch)
  try {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const prepared = await next
      if (prepared.length === 0) return
      waiting.push(startBatch())
      yield prepared
    }
  } finally {
    await reading.catch(() => {})
    await iterator.return?.()
  }
}

/** A promise that is awaited in its turn; without this a failure in between would count as unhandled. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
