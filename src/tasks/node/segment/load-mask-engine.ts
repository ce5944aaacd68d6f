import { throwIfAborted } from '../../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../../base/check-options.js'
import type { Precision } from '../../../graph/lowering.js'
import { locateModel } from '../../../model-store/node/locate-model.js'
import { openModel } from '../../../model-store/node/open-model.js'
import { checkThreads, type DeviceRequest } from '../../../runtime/device.js'
import { assertPrecision } from '../../../runtime/precision.js'
import { type DownloadOptions, downloadKeys } from '../../../weights/node/hub/download-model.js'
import { MaskEngine } from '../../segment/mask-engine.js'
import { restEngine, startEngine } from '../start-engine.js'

export interface LoadMaskEngineOptions extends DownloadOptions {
  /** Default `auto`: the native library, or WebAssembly where that can't be loaded. */
  readonly device?: DeviceRequest | undefined
  /** Default: as the engine chooses, usually one per core. */
  readonly threads?: number | undefined
  /** Default `fp32`. */
  readonly precision?: Precision | undefined
  /** Told, in words for people, of each thing that was assumed because no file of the model says it. */
  readonly onAssumption?: ((assumption: string) => void) | undefined
}

const keys: OptionKeys<LoadMaskEngineOptions> = {
  ...downloadKeys,
  device: true,
  threads: true,
  precision: true,
  onAssumption: true,
}

/**
 * Loads the graphs of a model that cuts things out of pictures; each when it is first asked for.
 * @param reference a folder, or an id of the Hugging Face hub, which is downloaded once
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_WEIGHTS`, `SHAPE_MISMATCH`, `OFFLINE`, `HUB`, `ENGINE`, `UNSUPPORTED` for a
 *   model without masks, or a precision that the device doesn't compute in
 */
export async function loadMaskEngine(
  reference: string,
  options: LoadMaskEngineOptions = {},
): Promise<MaskEngine> {
  checkOptions('option of loadMaskEngine', options, keys)
  const { device, threads, precision, onAssumption, ...download } = options
  checkThreads(threads)
  const choosing = startEngine(device)
  try {
    const { folder } = await locateModel(reference, download)
    const files = await openModel(folder, { signal: download.signal, ownSize: false, search: false })
    throwIfAborted(download.signal)
    if (onAssumption) files.assumptions.forEach(onAssumption)
    const chosen = await choosing
    assertPrecision(chosen.runtime.device, precision)
    return new MaskEngine(files, chosen, { threads, precision })
  } catch (thrown) {
    await restEngine(choosing)
    throw thrown
  }
}
