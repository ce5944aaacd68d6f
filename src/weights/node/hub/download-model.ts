import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BlvitError, throwIfAborted } from '../../../base/blvit-error.js'
import type { OptionKeys } from '../../../base/check-options.js'
import { parseShardIndex } from '../../safetensors/shard-index.js'
import { cachedSnapshot, linkBlob, modelFolder, snapshotFolder, writeReference } from './cache.js'
import { hubError } from './errors.js'
import { type HubFile, neededFiles, shardFiles } from './files.js'
import { isCommit, requireModelId, requireRevision } from './id.js'
import { type HubSettings, hubKeys, type ResolvedHubSettings, resolveHubSettings } from './settings.js'
import { transferFile } from './transfer.js'

export interface DownloadProgress {
  /** Of all files together, cached ones included. */
  readonly downloadedBytes: number
  readonly totalBytes: number
  /** The file that is coming. */
  readonly file: string
}

export interface DownloadOptions extends HubSettings {
  /** A branch, a tag or a commit. Default: `main`. */
  readonly revision?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
}

export const downloadKeys: OptionKeys<DownloadOptions> = {
  ...hubKeys,
  revision: true,
  signal: true,
  onProgress: true,
}

interface Job extends ResolvedHubSettings {
  readonly id: string
  readonly revision: string
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: DownloadProgress) => void) | undefined
}

/**
 * Brings a model of the Hugging Face hub into the cache that Python uses too: configs and safetensors weights
 * only. What is there already isn't fetched again, what is half there is gone on with. Without a connection a
 * cached model still opens.
 * @param id `owner/name`
 * @returns the folder with its files, for `openCheckpoint`
 * @throws BlvitError `NOT_FOUND` for an unknown id or revision, `OFFLINE`, `UNSUPPORTED` if it has no safetensors
 *   weights, `HUB`, `WRITE_FAILED`, `BAD_OPTION`, `ABORTED`
 */
export async function downloadModel(
  id: string,
  { revision = 'main', signal, onProgress, ...settings }: DownloadOptions = {},
): Promise<string> {
  requireModelId(id)
  requireRevision(revision)
  const job: Job = { id, revision, signal, onProgress, ...resolveHubSettings(settings) }
  throwIfAborted(signal)
  const cached = await cachedSnapshot(job.cacheFolder, { id, revision })
  if (cached !== undefined && (job.offline || isCommit(revision))) return cached
  if (job.offline) throw notCached(job)
  try {
    return await fetchSnapshot(job)
  } catch (thrown) {
    if (signal?.aborted) throw stopped(job, thrown)
    const error = hubError(thrown, job)
    if (error.code === 'OFFLINE' && cached !== undefined) return cached
    throw error
  }
}

async function fetchSnapshot(job: Job): Promise<string> {
  const { id, revision, cacheFolder } = job
  const commit = await resolveCommit(job)
  const folder = snapshotFolder(cacheFolder, { id, commit })
  const all = await listRepository(job, commit)
  const needed = neededFiles(all, { id })
  let files = needed.files
  if (needed.index !== undefined) {
    await fetchFiles([needed.index], { job, commit, silent: true })
    const source = `${id}/${needed.index.path}`
    const shards = parseShardIndex(await readFile(join(folder, needed.index.path), 'utf8'), { source })
    files = [...files, needed.index, ...shardFiles(shards.keys(), { all, id })]
  }
  await fetchFiles(files, { job, commit })
  if (revision !== commit) await writeReference(cacheFolder, { id, revision, commit })
  return folder
}

async function resolveCommit({ id, revision, endpoint, token, signal }: Job): Promise<string> {
  const { modelInfo } = await import('@huggingface/hub')
  const { sha } = await modelInfo({
    name: id,
    revision,
    additionalFields: ['sha'],
    hubUrl: endpoint,
    fetch: abortable(signal),
    ...(token === undefined ? {} : { accessToken: token }),
  })
  // It becomes a folder's name.
  if (isCommit(sha)) return sha
  throw new BlvitError('HUB', `${endpoint} gave no commit for ${id} at "${revision}".`, { id, revision })
}

async function listRepository(
  { id, endpoint, token, signal }: Job,
  commit: string,
): Promise<readonly HubFile[]> {
  const { listFiles } = await import('@huggingface/hub')
  const files: HubFile[] = []
  const listing = listFiles({
    repo: { type: 'model', name: id },
    revision: commit,
    hubUrl: endpoint,
    fetch: abortable(signal),
    ...(token === undefined ? {} : { accessToken: token }),
  })
  for await (const { type, path, size, oid, lfs } of listing) {
    const hash = lfs?.oid ?? oid
    if (type !== 'file' || hash === undefined || !isPlain(path) || !isHash(hash)) continue
    files.push({ path, hash, sizeBytes: lfs?.size ?? size, hashKind: lfs === undefined ? 'git' : 'sha256' })
  }
  return files
}

async function fetchFiles(
  files: readonly HubFile[],
  { job, commit, silent = false }: { job: Job; commit: string; silent?: boolean },
): Promise<void> {
  const { id, cacheFolder, endpoint, token, signal, onProgress } = job
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  let finishedBytes = 0
  for (const file of files) {
    throwIfAborted(signal)
    const blob = join(modelFolder(cacheFolder, id), 'blobs', file.hash)
    const report = (bytes: number) => {
      if (!silent) onProgress?.({ downloadedBytes: finishedBytes + bytes, totalBytes, file: file.path })
    }
    if (await isThere(blob, file.sizeBytes)) report(file.sizeBytes)
    else {
      const url = `${endpoint}/${id}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`
      await transferFile(file, { url, token, blob, signal, onBytes: report })
    }
    await linkBlob(blob, { as: join(snapshotFolder(cacheFolder, { id, commit }), file.path) })
    finishedBytes += file.sizeBytes
  }
}

// Paths and hashes come from strangers and become file names here.
function isPlain(path: string): boolean {
  return !/[\\:]/.test(path) && !path.split('/').some((word) => word === '' || word === '.' || word === '..')
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(text)
}

function isThere(blob: string, sizeBytes: number): Promise<boolean> {
  return stat(blob).then(
    (stats) => stats.size === sizeBytes,
    () => false,
  )
}

function abortable(signal: AbortSignal | undefined): typeof fetch {
  return (input, init) => fetch(input, { ...init, signal: signal ?? null })
}

function stopped({ id, revision }: Job, cause: unknown): BlvitError {
  const message = `The download of ${id} was stopped. Run it again to go on from there.`
  return new BlvitError('ABORTED', message, { id, revision }, { cause })
}

function notCached({ id, revision, cacheFolder }: Job): BlvitError {
  return new BlvitError(
    'OFFLINE',
    `Offline, and ${id} at "${revision}" is not in the cache ${cacheFolder}. Download it once with a connection (without the offline option and HF_HUB_OFFLINE), or give a local folder.`,
    { id, revision, cacheFolder },
  )
}
