import { takeRandom } from '../base/take-random.js'
import type { DataItem } from './data-set.js'

// Pictures of ImageNet's size: about 1,000 in their full size, 10,000 small ones. Paths cost next to nothing, so a
// folder is shuffled whole.
const defaultBufferBytes = 128_000_000
// What an item without bytes takes: a path, a name, an object.
const itemBytes = 500

function sizeOf(item: DataItem): number {
  if ('error' in item || typeof item.source === 'string') return itemBytes
  const { byteLength } = item.source instanceof Uint8Array ? item.source : item.source.values
  return itemBytes + byteLength
}

/**
 * Mixes a stream: holds as many items as fit into memory of `bufferBytes` and gives a random one of them whenever
 * another comes. The same items and the same random numbers give the same order.
 * @param random uniform in [0, 1)
 */
export async function* shuffled(
  items: AsyncIterable<DataItem>,
  random: () => number,
  { bufferBytes = defaultBufferBytes }: { bufferBytes?: number } = {},
): AsyncGenerator<DataItem> {
  const held: DataItem[] = []
  let heldBytes = 0
  const takeOne = (): DataItem => {
    const taken = takeRandom(held, random)
    heldBytes -= sizeOf(taken)
    return taken
  }
  for await (const item of items) {
    held.push(item)
    heldBytes += sizeOf(item)
    while (heldBytes > bufferBytes) yield takeOne()
  }
  while (held.length > 0) yield takeOne()
}
