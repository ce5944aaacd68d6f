import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { ConfigJson } from '../../models/architecture.js'
import type { DownloadOptions } from '../../weights/node/hub/download-model.js'
import type { StoredDtype } from '../../weights/stored-tensor.js'
import { type Conversion, convert } from '../convert.js'
import { conversionCard } from '../model-card.js'
import { findConfiguration } from './find-configuration.js'
import { locateModel } from './locate-model.js'
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
 * Converts a model's folder (or shipped or hub model) and writes the result as a folder that the hub takes.
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_WEIGHTS`, `SHAPE_MISMATCH`, `WRITE_FAILED`, …
 */
export async function convertFolder(source: string, options: ConvertFolderOptions): Promise<Conversion> {
  const { to, output, set, dtype, seed = 0, overwrite, ...download } = options
  const target = await findConfiguration(to)
  const { name, folder } = await locateModel(source, download)
  const conversion = await convert(await openModel(folder, download), target, { name: to, seed, set })
  const sourceCard = await readFile(join(folder, 'README.md'), 'utf8').catch(() => undefined)
  const title = basename(resolve(output))
  const card = conversionCard(conversion, { title, source: name, sourceCard, seed })
  await writeModelFolder(output, conversion.files, { card, dtype, overwrite, signal: download.signal })
  return conversion
}
