import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { holdsWeights, snapshotFolder } from './cache.js'
import { type HubSettings, resolveHubSettings } from './settings.js'

/** A model that the cache holds. */
export interface CachedModel {
  /** `owner/name` */
  readonly id: string
  /** The branch or tag it was asked for by; the commit where none is known. */
  readonly revision: string
  readonly commit: string
  readonly sizeBytes: number
  /** Opens with `openCheckpoint`. */
  readonly folder: string
}

/**
 * The models that the cache holds whole, by id; those that Python downloaded included. Empty if there is no cache.
 * @param cacheFolder default as for `downloadModel`
 */
export async function cachedModels(
  settings: Pick<HubSettings, 'cacheFolder'> = {},
): Promise<readonly CachedModel[]> {
  const { cacheFolder } = resolveHubSettings(settings)
  const models: CachedModel[] = []
  for (const entry of (await namesIn(cacheFolder)).sort()) {
    const match = /^models--(?<owner>.+?)--(?<name>.+)$/.exec(entry)
    if (match === null) continue
    const id = `${match.groups?.owner}/${match.groups?.name}`
    const revisions = await revisionsByCommit(join(cacheFolder, entry, 'refs'))
    for (const commit of await namesIn(join(cacheFolder, entry, 'snapshots'))) {
      const folder = snapshotFolder(cacheFolder, { id, commit })
      if (!(await holdsWeights(folder))) continue
      const sizeBytes = await folderBytes(folder)
      for (const revision of revisions.get(commit) ?? [commit])
        models.push({ id, revision, commit, sizeBytes, folder })
    }
  }
  return models
}

async function revisionsByCommit(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const revisions = new Map<string, string[]>()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const path = join(entry.parentPath, entry.name)
    const commit = (await readFile(path, 'utf8')).trim()
    revisions.set(commit, [...(revisions.get(commit) ?? []), relative(folder, path)])
  }
  return revisions
}

async function folderBytes(folder: string): Promise<number> {
  let sum = 0
  for (const name of await namesIn(folder)) {
    const stats = await stat(join(folder, name)).catch(() => undefined)
    if (stats?.isFile()) sum += stats.size
  }
  return sum
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
