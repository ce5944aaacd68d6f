import { z } from 'zod'
import { BlvitError, messageOf, throwIfAborted } from '../base/blvit-error.js'
import { parseJson, parseWith } from '../base/parse.js'
import { bytesSource } from '../weights/byte-source.js'
import { readSafetensors } from '../weights/safetensors/read.js'
import { parseShardIndex } from '../weights/safetensors/shard-index.js'
import { readShards } from '../weights/safetensors/shards.js'
import type { ByteSource } from '../weights/stored-tensor.js'
import { readCached, writeCached } from './model-cache.js'
import { type ModelFiles, type ModelJson, readDescription, withWeights } from './model-files.js'

export interface FetchProgress {
  /** Of the file. */
  readonly downloadedBytes: number
  /** Of the file; undefined where the server doesn't say. */
  readonly totalBytes: number | undefined
  readonly file: string
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined
  /**
   * Keep the files in the browser's Cache API, and read them from there the next time, without a connection too. What is
   * kept is taken for good: a model that changes needs another address. Default false.
   */
  readonly cache?: boolean | undefined
  /** Told why a file can't be kept: the storage is full, or the page may not store. The model loads all the same. */
  readonly onCacheFailure?: ((reason: string) => void) | undefined
}

/** What the server has at an address, undefined if it has nothing. */
async function fetched(address: URL, { signal }: FetchOptions): Promise<Response | undefined> {
  let response: Response
  try {
    response = await fetch(address, signal ? { signal } : {})
  } catch (cause) {
    throwIfAborted(signal)
    throw new BlvitError(
      'OFFLINE',
      `${address.href} can't be fetched (${messageOf(cause)}): there is no connection, or its server doesn't let other pages read it (CORS).`,
      { url: address.href },
      { cause },
    )
  }
  if (response.ok) return response
  if (response.status === 404) return undefined
  throw new BlvitError(
    'NOT_FOUND',
    `${address.href} can't be fetched: the server answers ${response.status}.`,
    {
      url: address.href,
      status: response.status,
    },
  )
}

async function bytesOf(
  response: Response,
  address: URL,
  { onProgress, signal }: FetchOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = address.pathname.replace(/^.*\//, '')
  // of what is compressed on the way, the length says nothing
  const length = response.headers.has('content-encoding') ? null : response.headers.get('content-length')
  const totalBytes = length === null ? undefined : Number(length)
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let downloadedBytes = 0
  try {
    for (const reader = response.body?.getReader(); reader; ) {
      const { done, value } = await reader.read()
      if (done) break
      chunks.push(value)
      downloadedBytes += value.byteLength
      onProgress?.({ downloadedBytes, totalBytes, file })
    }
  } catch (cause) {
    throwIfAborted(signal)
    const message = `The connection was lost after ${downloadedBytes} bytes${totalBytes === undefined ? '' : ` of ${totalBytes}`} of ${address.href} (${messageOf(cause)}). Load it again.`
    throw new BlvitError('OFFLINE', message, { url: address.href }, { cause })
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}

/** The content of an address, undefined if there is nothing. */
async function contentOf(address: URL, options: FetchOptions): Promise<Uint8Array | undefined> {
  const kept = options.cache ? await readCached(address) : undefined
  if (kept) return kept
  const response = await fetched(address, options)
  if (!response) return undefined
  const bytes = await bytesOf(response, address, options)
  const failure = options.cache ? await writeCached(address, bytes) : undefined
  if (failure !== undefined) options.onCacheFailure?.(failure)
  return bytes
}

async function fetchText(address: URL, options: FetchOptions): Promise<string | undefined> {
  const bytes = await contentOf(address, options)
  return bytes && new TextDecoder().decode(bytes)
}

async function fetchJson(address: URL, options: FetchOptions) {
  const text = await fetchText(address, options)
  if (text === undefined) return undefined
  return parseWith(z.record(z.string(), z.unknown()), parseJson(text, address.href), address.href)
}

function missing(folder: URL, what: string): BlvitError {
  return new BlvitError(
    'NOT_FOUND',
    `${folder.href} has no ${what}. A model's folder holds config.json and model.safetensors; give its address.`,
    { url: folder.href },
  )
}

async function fetchJsons(folder: URL, options: FetchOptions): Promise<ModelJson> {
  const [config, preprocessorConfig] = await Promise.all([
    fetchJson(new URL('config.json', folder), options),
    fetchJson(new URL('preprocessor_config.json', folder), options),
  ])
  if (!config) throw missing(folder, 'config.json')
  return { config, preprocessorConfig }
}

async function fetchTensors(folder: URL, options: FetchOptions) {
  const open = async (file: string): Promise<ByteSource | undefined> => {
    const address = new URL(file, folder)
    const bytes = await contentOf(address, options)
    return bytes && bytesSource(bytes, { name: address.href })
  }
  const whole = await open('model.safetensors')
  if (whole) return readSafetensors(whole)
  const address = new URL('model.safetensors.index.json', folder)
  const index = await fetchText(address, options)
  if (index === undefined) throw missing(folder, 'model.safetensors')
  return readShards(parseShardIndex(index, { source: address.href }), {
    source: address.href,
    open: async (shard) => {
      const source = await open(shard)
      if (source) return source
      throw missing(folder, shard)
    },
  })
}

/**
 * Fetches a model's files and checks them, in a browser or anywhere else.
 * @param folder the address of its folder, ending in `/`
 * @throws BlvitError `NOT_FOUND`, `OFFLINE`, `BAD_CONFIG`, `BAD_WEIGHTS`, `SHAPE_MISMATCH`, `ABORTED`
 */
export async function fetchModel(folder: URL, options: FetchOptions = {}): Promise<ModelFiles> {
  const description = readDescription(await fetchJsons(folder, options))
  const { tensors } = await fetchTensors(folder, options)
  return withWeights(description, tensors, { source: folder.href, signal: options.signal, search: false })
}
