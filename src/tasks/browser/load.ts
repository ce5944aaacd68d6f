import { throwIfAborted } from '../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../base/check-options.js'
import type { Precision } from '../../graph/lowering.js'
import { browserDecoder } from '../../image/browser-decoder.js'
import type { FetchOptions } from '../../model-store/fetch-model.js'
import { type BrowserDevice, chooseBrowserRuntime } from '../../runtime/browser.js'
import { checkThreads } from '../../runtime/device.js'
import { assertPrecision } from '../../runtime/precision.js'
import { type Settings, settingKeys, settingsOf } from '../../settings/settings.js'
import { Model } from '../model.js'
import type { FindObjects } from '../object-finder.js'
import { type BrowserModel, nameOf, openBrowserModel } from './open-model.js'

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

/**
 * Loads a model in a browser.
 * @param model the address of its folder, relative to the page or not, or its files
 * @throws BlvitError `NOT_FOUND`, `OFFLINE`, `BAD_CONFIG`, `BAD_WEIGHTS`, `SHAPE_MISMATCH`, `ENGINE`, `BAD_OPTION`,
 *   `UNSUPPORTED` for a precision that the device doesn't compute in
 * @example
 * const model = await load('/models/vit-tiny')
 * const { top } = await model.classify(context.getImageData(0, 0, width, height))
 */
export async function load(model: BrowserModel, options: BrowserLoadOptions = {}): Promise<Model> {
  checkOptions('option of load', options, loadKeys)
  const { device, threads, precision, onAssumption, objects, ...others } = options
  const { signal, onProgress, cache, onCacheFailure, ...said } = others
  const settings = settingsOf(said)
  checkThreads(threads)
  const chosen = await chooseBrowserRuntime(device)
  assertPrecision(chosen.runtime.device, precision)
  const files = await openBrowserModel(model, { signal, onProgress, cache, onCacheFailure })
  throwIfAborted(signal)
  if (onAssumption) files.assumptions.forEach(onAssumption)
  return new Model(nameOf(model), files, chosen, {
    ...{ threads, precision, settings, objects },
    decoder: browserDecoder,
  })
}
