import { throwIfAborted } from '../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../base/check-options.js'
import { checkWholeNumbers } from '../../base/whole-number.js'
import type { Parallel } from '../../engine/lane-plan.js'
import type { Precision } from '../../graph/lowering.js'
import { nodeDecoder } from '../../image/node/decode.js'
import { locateModel } from '../../model-store/node/locate-model.js'
import { openModel } from '../../model-store/node/open-model.js'
import { defaultModel } from '../../model-store/node/shipped-models.js'
import { checkThreads, type DeviceRequest } from '../../runtime/device.js'
import { assertPrecision } from '../../runtime/precision.js'
import type { ChosenRuntime } from '../../runtime/runtime.js'
import { type Settings, settingKeys, settingsOf } from '../../settings/settings.js'
import { type DownloadOptions, downloadKeys } from '../../weights/node/hub/download-model.js'
import { Model } from '../model.js'
import type { FindObjects } from '../object-finder.js'
import { readSettings } from './read-settings.js'
import { restEngine, startEngine } from './start-engine.js'

/** Settings among them hold for every run that says nothing else. */
export interface LoadModelOptions extends DownloadOptions, Settings {
  /** Default `auto`: the native library, or WebAssembly where that can't be loaded. */
  readonly device?: DeviceRequest | undefined
  /** One that is there or on its way, in place of `device`. It is the model's from then on. */
  readonly runtime?: Promise<ChosenRuntime> | undefined
  /** Threads of all engines together. Default: as the engine chooses, usually one per core. */
  readonly threads?: number | undefined
  /**
   * Pictures that are run at once, each by an engine of its own: a number, which the engines' threads are shared among, or
   * `auto`: one engine with all threads for a few pictures, and one with one thread for each core, as far as memory goes,
   * for more than a handful. Only the native library on the processor can do it. Default `auto`.
   */
  readonly parallel?: Parallel | undefined
  /**
   * Pictures of concurrent calls that may be in work or wait. A call beyond that is refused with the code `BUSY`, which a
   * server answers with 503. Default 256.
   */
  readonly queue?: number | undefined
  /**
   * What the model computes in: `int8`, wide linear maps in whole numbers of 8 bits, is faster on processors;
   * `fp16` is for `webgpu` alone. Both are a little less exact. Default `fp32`.
   */
  readonly precision?: Precision | undefined
  /**
   * Where the objects of pictures are, with `reduce: 'atf:mask.json,objects=given'`: called with each picture that is
   * prepared, it gives a bit for each patch, row by row, or a mask of the picture's size.
   */
  readonly objects?: FindObjects | undefined
  /** Told, in words for people, of each thing that was assumed because no file of the model says it. */
  readonly onAssumption?: ((assumption: string) => void) | undefined
}

const loadKeys: OptionKeys<LoadModelOptions> = {
  ...settingKeys,
  ...downloadKeys,
  device: true,
  runtime: true,
  threads: true,
  precision: true,
  parallel: true,
  queue: true,
  onAssumption: true,
  objects: true,
}

/**
 * Loads a model.
 * @param reference a shipped name, a folder, or an id of the Hugging Face hub, which is downloaded once
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_WEIGHTS`, `SHAPE_MISMATCH`, `OFFLINE`, `HUB`, `ENGINE`,
 *   `UNSUPPORTED` for a precision that the device doesn't compute in, `BAD_OPTION` for lanes where there are none,
 *   `BAD_DATA` for a file of something else that a setting names
 * @example
 * await using model = await load('vit-tiny')
 * const { top } = await model.classify('hummingbird.jpg')
 */
export async function load(reference: string = defaultModel, options: LoadModelOptions = {}): Promise<Model> {
  checkOptions('option of load', options, loadKeys)
  const {
    device,
    runtime,
    threads,
    precision,
    parallel = 'auto',
    queue,
    objects,
    onAssumption,
    ...others
  } = options
  const download: DownloadOptions = others
  checkThreads(threads)
  checkWholeNumbers({ queue })
  // The engine's thread starts first: its library is loaded while this thread reads the model.
  const choosing = runtime ?? startEngine(device)
  try {
    const settings = await readSettings(settingsOf(others))
    const { name, folder } = await locateModel(reference, download)
    // a size of pictures is a setting: the engine fits what depends on it
    const files = await openModel(folder, { signal: download.signal, ownSize: false, search: false })
    throwIfAborted(download.signal)
    if (onAssumption) files.assumptions.forEach(onAssumption)
    const chosen = await choosing
    assertPrecision(chosen.runtime.device, precision)
    return new Model(name, files, chosen, {
      ...{ threads, precision, parallel, queue, settings, objects },
      decoder: nodeDecoder,
    })
  } catch (thrown) {
    // What is wrong with the model, the user hears first.
    await restEngine(choosing)
    throw thrown
  }
}
