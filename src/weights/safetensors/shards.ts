import { BlvitError } from '../../base/blvit-error.js'
import type { ByteSource, StoredTensor } from '../stored-tensor.js'
import { readSafetensors, type SafetensorsContent } from './read.js'
import type { ShardIndex } from './shard-index.js'
import type { StoredIntegers } from './stored-integers.js'

/**
 * The tensors of a checkpoint in several files. Reads headers only.
 * @param options `source`: the index, for messages; `open` one of the files that it names
 * @throws BlvitError `BAD_WEIGHTS`, and what `open` throws
 */
export async function readShards(
  index: ShardIndex,
  { source, open }: { source: string; open: (shard: string) => Promise<ByteSource> },
): Promise<SafetensorsContent> {
  const tensors = new Map<string, StoredTensor>()
  const integers = new Map<string, StoredIntegers>()
  const metadata: Record<string, string> = {}
  for (const [shard, names] of index) {
    const content = await readSafetensors(await open(shard))
    for (const name of names) {
      const tensor = content.tensors.get(name)
      const integer = content.integers.get(name)
      if (tensor !== undefined) tensors.set(name, tensor)
      else if (integer !== undefined) integers.set(name, integer)
      else throw absent(name, { shard, source })
    }
    Object.assign(metadata, content.metadata)
  }
  return { tensors, integers, metadata }
}

function absent(tensor: string, { shard, source }: { shard: string; source: string }): BlvitError {
  return new BlvitError(
    'BAD_WEIGHTS',
    `${source} places "${tensor}" in ${shard}, but it isn't there: index and shards belong to different downloads.`,
    { index: source, shard, tensor },
  )
}
