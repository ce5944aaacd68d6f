import { readdir, readFile } from 'node:fs/promises'
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
  /** Opens with `openCheckpoint`. */
  readonly folder: string
}

/**
 * The models that the cache holds whole, by id; those that Python downloaded included. Empty if there is no cache.
 * The hub package's `scanCacheDir` won't do: it drops a model whose last download was interrupted (a link without its
 * blob, a branch without its snapshot) or that was asked for by a commit, and it reads no branch with a slash.
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
      for (const revision of revisions.get(commit) ?? [commit]) models.push({ id, revision, commit, folder })
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

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
