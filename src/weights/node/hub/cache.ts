import { copyFile, mkdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { replaceFile } from '../../../files/replace-file.js'
import { parseShardIndex } from '../../safetensors/shard-index.js'
import { locateWeights } from '../weights-folder.js'
import { isCommit } from './id.js'

// The layout of Python's huggingface_hub, so that both share one cache:
//   models--owner--name/blobs/<hash>                 the bytes
//   models--owner--name/snapshots/<commit>/<file>    links to them
//   models--owner--name/refs/<branch>                the commit that a branch was at

/** A model's folder in the cache. */
export function modelFolder(cacheFolder: string, id: string): string {
  return join(cacheFolder, `models--${id.replace('/', '--')}`)
}

/** The folder of one commit's files. */
export function snapshotFolder(cacheFolder: string, { id, commit }: { id: string; commit: string }): string {
  return join(modelFolder(cacheFolder, id), 'snapshots', commit)
}

/** The snapshot's folder if the cache holds this revision with whole weights, else undefined. */
export async function cachedSnapshot(
  cacheFolder: string,
  { id, revision }: { id: string; revision: string },
): Promise<string | undefined> {
  const reference = join(modelFolder(cacheFolder, id), 'refs', revision)
  const commit = isCommit(revision) ? revision : await readFile(reference, 'utf8').catch(() => '')
  if (!isCommit(commit.trim())) return undefined
  const folder = snapshotFolder(cacheFolder, { id, commit: commit.trim() })
  return (await holdsWeights(folder)) ? folder : undefined
}

/**
 * Links a downloaded blob into a snapshot, unless it is there: a commit's file never changes.
 * Where links aren't allowed (Windows without developer mode), a copy takes their place.
 */
export async function linkBlob(blob: string, { as: path }: { as: string }): Promise<void> {
  if (await exists(path)) return
  await mkdir(dirname(path), { recursive: true })
  await rm(path, { force: true }) // a link whose blob was deleted
  try {
    await symlink(relative(dirname(path), blob), path)
  } catch {
    if (!(await exists(path))) await copyFile(blob, path)
  }
}

/** Remembers the commit of a branch or tag; written last, so that a known branch is always whole. */
export async function writeReference(
  cacheFolder: string,
  { id, revision, commit }: { id: string; revision: string; commit: string },
): Promise<void> {
  const path = join(modelFolder(cacheFolder, id), 'refs', revision)
  await mkdir(dirname(path), { recursive: true })
  async function* content(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(commit)
  }
  await replaceFile(path, content())
}

/** True if every weights file of a snapshot is there. */
export async function holdsWeights(folder: string): Promise<boolean> {
  try {
    const { kind, path } = await locateWeights(folder)
    if (kind === 'file') return (await stat(path)).isFile()
    const shards = parseShardIndex(await readFile(path, 'utf8'), { source: path })
    for (const shard of shards.keys()) await stat(join(folder, shard))
    return true
  } catch {
    return false // nothing there, or a link whose blob is gone: as good as not cached
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
