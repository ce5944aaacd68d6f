import { throwIfAborted } from '../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../base/check-options.js'
import type { Precision } from '../../graph/lowering.js'
import { browserDecoder } from '../../image/browser-decoder.js'
import type { FetchOptions } from '../../model-store/fetch-model.js'
import { type BrowserDevice, chooseBrowserRuntime } from '../../runtime/browser.js'
import { checkThreads } from '../../runtime/device.js'
import { assertPrecision } from '../../runtime/precision.js'
import { MaskEngine } from '../segment/mask-engine.js'
import { Segmenter } from '../segment/segmenter.js'
import { type BrowserModel, nameOf, openBrowserModel } from './open-model.js'

export interface BrowserLoadSegmenterOptions extends FetchOptions {
  /** Default `auto`: WebGPU where there is a graphics processor, else WebAssembly. */
  readonly device?: BrowserDevice | undefined
  /** Threads of WebAssembly, in a page that is isolated (COOP and COEP headers). Default: as the engine chooses. */
  readonly threads?: number | undefined
  /** `fp16` is for `webgpu`. Default `fp32`. */
  readonly precision?: Precision | undefined
  /** Told, in words for people, of each thing that was assumed because no file of the model says it. */
  readonly onAssumption?: ((assumption: string) => void) | undefined
}

const keys: OptionKeys<BrowserLoadSegmenterOptions> = {
  device: true,
  threads: true,
  precision: true,
  onAssumption: true,
  signal: true,
  onProgress: true,
  cache: true,
  onCacheFailure: true,
}

/**
 * Loads a Segment Anything model in a browser.
 * @param model the address of its folder, relative to the page or not, or its files
 * @throws BlvitError as `load`; `UNSUPPORTED` for a model that makes no masks
 * @example
 * const sam = await loadSegmenter(await modelFromFiles(input.files ?? []))
 * const encoded = await sam.encode(photo)
 * const [best] = await encoded.predict({ points: [{ x: 210, y: 140 }] })
 */
export async function loadSegmenter(
  model: BrowserModel,
  options: BrowserLoadSegmenterOptions = {},
): Promise<Segmenter> {
  checkOptions('option of loadSegmenter', options, keys)
  const { device, threads, precision, onAssumption, ...fetching } = options
  checkThreads(threads)
  const chosen = await chooseBrowserRuntime(device)
  assertPrecision(chosen.runtime.device, precision)
  const files = await openBrowserModel(model, fetching)
  throwIfAborted(fetching.signal)
  if (onAssumption) files.assumptions.forEach(onAssumption)
  return new Segmenter(nameOf(model), new MaskEngine(files, chosen, { threads, precision }), browserDecoder)
}
