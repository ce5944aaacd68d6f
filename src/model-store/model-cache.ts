import { messageOf } from '../base/blvit-error.js'
import { modelAddress } from './model-address.js'
import type { ModelParts } from './model-parts.js'

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
  try {
    return await globalThis.caches?.open(cacheName)
  } catch {
    // where a site may not store, even to ask for its storage is an error
    return undefined
  }
}

/** What is kept of an address, undefined if nothing is. */
export async function readCached(address: URL): Promise<Uint8Array | undefined> {
  const cache = await openCache()
  const response = await cache?.match(address)
  return response && new Uint8Array(await response.arrayBuffer())
}

/** Keeps a file. @returns why it can't be kept, if so: the storage is full, or not allowed */
export async function writeCached(
  address: URL,
  content: Blob | Uint8Array<ArrayBuffer>,
): Promise<string | undefined> {
  const cache = await openCache()
  if (!cache) return 'this page may not store files'
  const sizeBytes = content instanceof Blob ? content.size : content.byteLength
  const headers = { 'content-length': String(sizeBytes) }
  return cache.put(address, new Response(content, { headers })).then(
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

const jsonFiles = { config: 'config.json', preprocessorConfig: 'preprocessor_config.json' } as const
const weightsFile = 'model.safetensors'

/**
 * Keeps a model that isn't anywhere on the network, e.g. one that the user chose, under an address of the page's own.
 * @returns why it can't be kept, if so; what was written of it is forgotten then
 */
export async function keepModel(address: string | URL, parts: ModelParts): Promise<string | undefined> {
  const folder = modelAddress(address)
  const { weights } = parts
  const contents = [
    ...Object.entries(jsonFiles).flatMap(([key, name]) => {
      const json = parts[key as keyof typeof jsonFiles]
      return json ? [[name, new Blob([JSON.stringify(json)])] as const] : []
    }),
    // last: a model without weights is none
    [weightsFile, weights instanceof Blob ? weights : new Uint8Array(weights)] as const,
  ]
  for (const [name, content] of contents) {
    const failure = await writeCached(new URL(name, folder), content)
    if (failure === undefined) continue
    await clearCachedModels(folder.href)
    return failure
  }
  return undefined
}

/** A model that is kept, undefined if none is: its weights stay in the browser's storage until they are read. */
export async function keptModel(address: string | URL): Promise<ModelParts | undefined> {
  const folder = modelAddress(address)
  const cache = await openCache()
  const fileOf = (name: string) => cache?.match(new URL(name, folder))
  const [config, preprocessorConfig, weights] = await Promise.all([
    fileOf(jsonFiles.config),
    fileOf(jsonFiles.preprocessorConfig),
    fileOf(weightsFile),
  ])
  if (!config || !weights) return undefined
  return {
    name: folder.pathname.split('/').at(-2) ?? folder.href,
    config: await config.json(),
    preprocessorConfig: await preprocessorConfig?.json(),
    weights: await weights.blob(),
  }
}
