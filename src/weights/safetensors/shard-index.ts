import { z } from 'zod'
import { BlvitError } from '../../base/blvit-error.js'
import { parseJson, parseWith } from '../../base/parse.js'

const schema = z.object({
  metadata: z.record(z.string(), z.unknown()).optional(),
  weight_map: z.record(z.string(), z.string()),
})

/** Shard file → names of the tensors that the index places in it. */
export type ShardIndex = ReadonlyMap<string, readonly string[]>

/**
 * Parses `model.safetensors.index.json`.
 * @param source names the file in messages
 * @throws BlvitError `BAD_WEIGHTS` if it is malformed or names a file outside its folder
 */
export function parseShardIndex(text: string, { source }: { source: string }): ShardIndex {
  const { weight_map: weightMap } = parseWith(
    schema,
    parseJson(text, source, 'BAD_WEIGHTS'),
    source,
    'BAD_WEIGHTS',
  )
  const shards = new Map<string, string[]>()
  for (const [tensor, shard] of Object.entries(weightMap)) {
    if (!shards.has(shard)) requireInside(shard, source)
    const names = shards.get(shard) ?? []
    names.push(tensor)
    shards.set(shard, names)
  }
  if (shards.size === 0) throw new BlvitError('BAD_WEIGHTS', `${source} names no tensors.`, { source })
  return shards
}

/** The index comes from strangers: it must not make us open files elsewhere. */
function requireInside(shard: string, source: string): void {
  const windowsPath = /[\\:]/.test(shard)
  const escapes = shard.startsWith('/') || shard.split('/').includes('..')
  if (!windowsPath && !escapes && shard.endsWith('.safetensors') && !shard.includes('\0')) return
  throw new BlvitError(
    'BAD_WEIGHTS',
    `${source} places tensors in ${JSON.stringify(shard)}: shards must be .safetensors files inside its folder.`,
    { source, shard },
  )
}
