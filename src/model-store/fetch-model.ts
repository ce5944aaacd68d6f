import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseJson, parseWith } from '../base/parse.js'
import { bytesSource } from '../weights/byte-source.js'
import { readSafetensors } from '../weights/safetensors/read.js'
import { parseShardIndex } from '../weights/safetensors/shard-index.js'
import { readShards } from '../weights/safetensors/shards.js'
import type { ByteSource } from '../weights/stored-tensor.js'
import { type DownloadOptions, download } from './download.js'
import { readCached, writeCached } from './model-cache.js'
import { type ModelFiles, type ModelJson, readDescription, withWeights } from './model-files.js'

export interface FetchOptions extends DownloadOptions {
  /**
   * Keep the files in the browser's Cache API, and read them from there the next time, without a connection too. What is
   * kept is taken for good: a model that changes needs another address. Default false.
   */
  readonly cache?: boolean | undefined
  /** Told why a file can't be kept: the storage is full, or the page may not store. The model loads all the same. */
  readonly onCacheFailure?: ((reason: string) => void) | undefined
}

/** The content of an address, undefined if there is nothing. */
async function contentOf(address: URL, options: FetchOptions): Promise<Uint8Array | undefined> {
  const kept = options.cache ? await readCached(address) : undefined
  if (kept) return kept
  const bytes = await download(address, options)
  if (!bytes) return undefined
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
