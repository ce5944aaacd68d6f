import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Architecture, ConfigJson } from '../../models/architecture.js'
import { openCheckpoint } from '../../weights/node/checkpoint.js'
import type { DownloadOptions } from '../../weights/node/hub/download-model.js'
import type { StoredDtype } from '../../weights/stored-tensor.js'
import { type Conversion, convert } from '../convert.js'
import { conversionCard } from '../model-card.js'
import { type ModelFiles, readDescription, withWeights } from '../model-files.js'
import { findConfiguration } from './find-configuration.js'
import { locateModel } from './locate-model.js'
import { readCard } from './named-model.js'
import { openModel } from './open-model.js'
import { writeModelFolder } from './write-model-folder.js'

export interface ConvertFolderOptions extends DownloadOptions {
  /** The wanted configuration: a preset, a config.json or a folder with one. */
  readonly to: string
  /** Where to write. */
  readonly output: string
  /** config.json keys to change. */
  readonly set?: ConfigJson | undefined
  /** Default: as the source stores each tensor; new ones F32. */
  readonly dtype?: StoredDtype | undefined
  readonly seed?: number | undefined
  readonly overwrite?: boolean | undefined
}

/**
 * A model from its folder; or weights alone, a file of torch.save or safetensors, of the model whose configuration the target is,
 * or which it routes the tokens of.
 */
async function openSource(
  path: string,
  target: Architecture,
  download: DownloadOptions,
): Promise<ModelFiles> {
  const { signal } = download
  if ((await stat(path)).isDirectory()) return await openModel(path, download)
  const { tensors } = await openCheckpoint(path)
  const { json } = target.plain ?? target
  return await withWeights(readDescription({ config: json }), tensors, { source: path, signal })
}

/**
 * Converts a model's folder (or shipped or hub model) and writes the result as a folder that the hub takes.
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_WEIGHTS`, `SHAPE_MISMATCH`, `WRITE_FAILED`, …
 */
export async function convertFolder(source: string, options: ConvertFolderOptions): Promise<Conversion> {
  const { to, output, set, dtype, seed = 0, overwrite, ...download } = options
  const target = await findConfiguration(to)
  const { name, folder } = await locateModel(source, download)
  const conversion = await convert(await openSource(folder, target, download), target, {
    name: to,
    seed,
    set,
  })
  // beside weights alone there is no card
  const sourceCard = await readCard(folder)
  const title = basename(resolve(output))
  const card = conversionCard(conversion, { title, source: name, sourceCard, seed })
  await writeModelFolder(output, conversion.files, { card, dtype, overwrite, signal: download.signal })
  return conversion
}
