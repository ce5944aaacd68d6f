import { BlvitError } from '../../../base/blvit-error.js'

/** A file of a repository, with what proves that it came whole. */
export interface HubFile {
  readonly path: string
  readonly sizeBytes: number
  /** The name of its blob in the cache: the content's hash below. */
  readonly hash: string
  /** Large files carry their SHA-256; small ones git's id, the SHA-1 of a `blob` header and the content. */
  readonly hashKind: 'sha256' | 'git'
}

const configs = ['config.json', 'preprocessor_config.json']
const weights = 'model.safetensors'
const index = 'model.safetensors.index.json'

/** What to fetch first, and whether it is an index that names more. */
export interface NeededFiles {
  readonly files: readonly HubFile[]
  readonly index: HubFile | undefined
}

/**
 * Chooses the files that a model needs: its configs, and `model.safetensors`, or the index of shards, or the
 * only `*.safetensors`.
 * @throws BlvitError `UNSUPPORTED` if the repository has no safetensors weights
 */
export function neededFiles(all: readonly HubFile[], { id }: { id: string }): NeededFiles {
  const named = (path: string) => all.filter((file) => file.path === path)
  const files = configs.flatMap(named)
  const [single] = named(weights)
  if (single !== undefined) return { files: [...files, single], index: undefined }
  const [sharded] = named(index)
  if (sharded !== undefined) return { files, index: sharded }
  const others = all.filter(({ path }) => path.endsWith('.safetensors') && !path.includes('/'))
  const [only] = others
  if (only !== undefined && others.length === 1) return { files: [...files, only], index: undefined }

  const candidates = all
    .map(({ path }) => path)
    .filter((path) => /\.(safetensors|bin|pth|pt|onnx|msgpack|h5)$/.test(path))
  const holds = candidates.length > 0 ? `it has ${candidates.slice(0, 8).join(', ')}` : 'it has no weights'
  throw new BlvitError(
    'UNSUPPORTED',
    `${id} has no ${weights}: ${holds}. Choose a model with safetensors weights, or convert it and give the folder.`,
    { id, candidates },
  )
}

/** @throws BlvitError `BAD_WEIGHTS` if the index names a file that the repository lacks */
export function shardFiles(
  shards: Iterable<string>,
  { all, id }: { all: readonly HubFile[]; id: string },
): readonly HubFile[] {
  return [...shards].map((shard) => {
    const file = all.find(({ path }) => path === shard)
    if (file !== undefined) return file
    throw new BlvitError('BAD_WEIGHTS', `The index of ${id} names ${shard}, which the repository lacks.`, {
      id,
      shard,
    })
  })
}
