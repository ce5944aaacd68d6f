import { messageOf } from '../base/blvit-error.js'

/** The files of a model's folder that a browser keeps. */
export interface CachedModel {
  /** Of the folder, ending in `/`. */
  readonly address: string
  readonly files: readonly string[]
  readonly sizeBytes: number
}

const cacheName = 'blvit-models'

/** The browser's storage for it; undefined where there is none: pages without https, private windows of some browsers. */
async function openCache(): Promise<Cache | undefined> {
  return globalThis.caches?.open(cacheName).catch(() => undefined)
}

/** What is kept of an address, undefined if nothing is. */
export async function readCached(address: URL): Promise<Uint8Array | undefined> {
  const cache = await openCache()
  const response = await cache?.match(address)
  return response && new Uint8Array(await response.arrayBuffer())
}

/** Keeps a file. @returns why it can't be kept, if so: the storage is full, or not allowed */
export async function writeCached(address: URL, bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  const cache = await openCache()
  if (!cache) return 'this page may not store files'
  const headers = { 'content-length': String(bytes.byteLength) }
  return cache.put(address, new Response(bytes, { headers })).then(
    () => undefined,
    (thrown) => messageOf(thrown),
  )
}

/** The models whose files `load(…, { cache: true })` keeps in this browser, for the page's origin. */
export async function listCachedModels(): Promise<CachedModel[]> {
  const cache = await openCache()
  if (!cache) return []
  const models = new Map<string, { files: string[]; sizeBytes: number }>()
  for (const { url } of await cache.keys()) {
    const [, folder = '', file = ''] = /^(.*\/)(.*)$/.exec(url) ?? []
    const response = await cache.match(url)
    const model = models.get(folder) ?? { files: [], sizeBytes: 0 }
    models.set(folder, model)
    model.files.push(file)
    model.sizeBytes += Number(response?.headers.get('content-length') ?? 0)
  }
  return [...models].map(([address, { files, sizeBytes }]) => ({ address, files, sizeBytes }))
}

/**
 * Forgets files of models; models that are loaded go on.
 * @param address of a folder, as {@link listCachedModels} tells it. Default: all of them
 */
export async function clearCachedModels(address?: string): Promise<void> {
  const cache = await openCache()
  if (!cache) return
  for (const { url } of await cache.keys()) {
    if (address === undefined || url.startsWith(address)) await cache.delete(url)
  }
}
