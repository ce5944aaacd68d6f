import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BlvitError } from '../../base/blvit-error.js'
import { maximumHeaderBytes, readSafetensors, type SafetensorsContent } from '../safetensors/read.js'
import { parseShardIndex } from '../safetensors/shard-index.js'
import { readShards } from '../safetensors/shards.js'
import type { StoredTensor } from '../stored-tensor.js'
import { storedBytes } from '../tensor-chunks.js'
import { readTorch } from '../torch/read.js'
import { openFileSource } from './file-source.js'
import { locateWeights, type WeightsLocation } from './weights-folder.js'

/** How each kind of weights is opened. */
const openers: Readonly<Record<WeightsLocation['kind'], (path: string) => Promise<SafetensorsContent>>> = {
  file: async (path) => readSafetensors(await openFileSource(path)),
  index: openShards,
  torch: async (path) => readTorch(await openFileSource(path)),
}

/** Weights on disk, opened but not read. */
export interface Checkpoint extends SafetensorsContent {
  /** For people, e.g. `/models/deit/model.safetensors: 152 tensors, F16, 11.4 MB`. */
  readonly description: string
}

/**
 * Opens a `.safetensors` file, a sharded checkpoint's index, a file of torch.save, or a folder that holds one of them. Reads
 * headers only.
 * @throws BlvitError `NOT_FOUND` if nothing is there, `BAD_WEIGHTS` if what is there isn't sound
 */
export async function openCheckpoint(pathOrFolder: string): Promise<Checkpoint> {
  const { kind, path } = await locateWeights(pathOrFolder)
  const content = await openers[kind](path)
  return { ...content, description: describe(path, [...content.tensors.values()]) }
}

async function openShards(indexPath: string): Promise<SafetensorsContent> {
  const index = parseShardIndex(await readText(indexPath), { source: indexPath })
  const folder = dirname(indexPath)
  await requireShards([...index.keys()], { folder, indexPath })
  return readShards(index, { source: indexPath, open: (shard) => openFileSource(join(folder, shard)) })
}

async function readText(path: string): Promise<string> {
  const source = await openFileSource(path)
  if (source.sizeBytes > maximumHeaderBytes) {
    throw new BlvitError('BAD_WEIGHTS', `${path} has ${source.sizeBytes} bytes: too long for an index.`, {
      path,
    })
  }
  return new TextDecoder().decode(await source.read(0, source.sizeBytes))
}

/** Every missing shard at once: an interrupted copy usually lacks several. */
async function requireShards(
  shards: readonly string[],
  { folder, indexPath }: { folder: string; indexPath: string },
): Promise<void> {
  const there = await Promise.all(
    shards.map((shard) =>
      stat(join(folder, shard)).then(
        (stats) => stats.isFile(),
        () => false,
      ),
    ),
  )
  const missing = shards.filter((_, i) => there[i] === false)
  if (missing.length === 0) return
  throw new BlvitError(
    'BAD_WEIGHTS',
    `${indexPath} names ${shards.length} files, of which ${missing.length} are missing: ${missing.join(', ')}. Download or copy them beside it.`,
    { index: indexPath, missing },
  )
}

function describe(path: string, tensors: readonly StoredTensor[]): string {
  const dtypes = [...new Set(tensors.map((tensor) => tensor.dtype))].sort().join('+')
  const megabytes = tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0) / 1e6
  return `${path}: ${tensors.length} tensors, ${dtypes}, ${megabytes.toFixed(1)} MB`
}
