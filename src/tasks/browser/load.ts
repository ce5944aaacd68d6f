import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../base/check-options.js'
import type { Precision } from '../../graph/lowering.js'
import { browserDecoder } from '../../image/browser-decoder.js'
import { type FetchOptions, fetchModel } from '../../model-store/fetch-model.js'
import {
  type ModelFiles,
  type ModelJson,
  readDescription,
  withWeights,
} from '../../model-store/model-files.js'
import { type BrowserDevice, chooseBrowserRuntime } from '../../runtime/browser.js'
import { checkThreads } from '../../runtime/device.js'
import { assertPrecision } from '../../runtime/precision.js'
import { type Settings, settingKeys, settingsOf } from '../../settings/settings.js'
import { blobSource, bytesSource } from '../../weights/byte-source.js'
import { readSafetensors } from '../../weights/safetensors/read.js'
import { Model } from '../model.js'
import type { FindObjects } from '../object-finder.js'

/** Settings among them hold for every run that says nothing else. */
export interface BrowserLoadOptions extends FetchOptions, Settings {
  /** Default `auto`: WebGPU where there is a graphics processor, else WebAssembly. */
  readonly device?: BrowserDevice | undefined
  /** Threads of WebAssembly, in a page that is isolated (COOP and COEP headers). Default: as the engine chooses. */
  readonly threads?: number | undefined
  /** As in Node: `int8` is for `wasm`, `fp16` for `webgpu`. Default `fp32`. */
  readonly precision?: Precision | undefined
  /**
   * Where the objects of pictures are, with `reduce: 'atf:mask.json,objects=given'`: called with each picture that is
   * prepared, it gives a bit for each patch, row by row, or a mask of the picture's size.
   */
  readonly objects?: FindObjects | undefined
  /** Told, in words for people, of each thing that was assumed because no file of the model says it. */
  readonly onAssumption?: ((assumption: string) => void) | undefined
}

const loadKeys: OptionKeys<BrowserLoadOptions> = {
  ...settingKeys,
  device: true,
  threads: true,
  precision: true,
  onAssumption: true,
  objects: true,
  signal: true,
  onProgress: true,
  cache: true,
  onCacheFailure: true,
}

/** A model's files where they are at hand already, e.g. chosen by the user. */
export interface ModelParts extends ModelJson {
  /** For messages. Default: `the model given`. */
  readonly name?: string
  /** `model.safetensors` */
  readonly weights: Blob | Uint8Array | ArrayBuffer
}

async function openParts(parts: ModelParts, signal: AbortSignal | undefined): Promise<ModelFiles> {
  const { name = 'the model given', weights } = parts
  const source = weights instanceof Blob ? blobSource(weights) : bytesSource(weights, { name })
  const { tensors } = await readSafetensors(source)
  return withWeights(readDescription(parts), tensors, { source: name, signal, search: false })
}

function addressOf(reference: string | URL): URL {
  const base = globalThis.location?.href
  const text = String(reference)
  if (!URL.canParse(text, base)) {
    throw new BlvitError('BAD_OPTION', `${text} is not an address. Give the address of a model's folder.`)
  }
  const address = new URL(text, base)
  if (!address.pathname.endsWith('/')) address.pathname += '/'
  return address
}

function isAddress(model: string | URL | ModelParts): model is string | URL {
  return typeof model === 'string' || model instanceof URL
}

/**
 * Loads a model in a browser.
 * @param model the address of its folder, relative to the page or not, or its files
 * @throws BlvitError `NOT_FOUND`, `OFFLINE`, `BAD_CONFIG`, `BAD_WEIGHTS`, `SHAPE_MISMATCH`, `ENGINE`, `BAD_OPTION`,
 *   `UNSUPPORTED` for a precision that the device doesn't compute in
 * @example
 * const model = await load('/models/vit-tiny')
 * const { top } = await model.classify(context.getImageData(0, 0, width, height))
 */
export async function load(
  model: string | URL | ModelParts,
  options: BrowserLoadOptions = {},
): Promise<Model> {
  checkOptions('option of load', options, loadKeys)
  const { device, threads, precision, onAssumption, objects, ...others } = options
  const { signal, onProgress, cache, onCacheFailure, ...said } = others
  const settings = settingsOf(said)
  checkThreads(threads)
  const chosen = await chooseBrowserRuntime(device)
  assertPrecision(chosen.runtime.device, precision)
  const name = isAddress(model) ? String(model) : (model.name ?? 'the model given')
  const files = isAddress(model)
    ? await fetchModel(addressOf(model), { signal, onProgress, cache, onCacheFailure })
    : await openParts(model, signal)
  throwIfAborted(signal)
  if (onAssumption) files.assumptions.forEach(onAssumption)
  return new Model(name, files, chosen, {
    ...{ threads, precision, settings, objects },
    decoder: browserDecoder,
  })
}
