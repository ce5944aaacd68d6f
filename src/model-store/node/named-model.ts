import { join } from 'node:path'
import type { DownloadOptions } from '../../weights/node/hub/download-model.js'
import type { ModelFiles } from '../model-files.js'
import { locateModel } from './locate-model.js'
import { openModel, readOptionalText } from './open-model.js'

/** A model with what it was called and what its own card says. */
export interface NamedModel {
  readonly name: string
  readonly files: ModelFiles
  readonly card: string | undefined
}

/** The card in a model's folder, which says its licence; undefined without one. @throws BlvitError `NOT_FOUND` for one that can't be read */
export function readCard(folder: string): Promise<string | undefined> {
  return readOptionalText(join(folder, 'README.md'))
}

/** Opens a model by what a user may call it. @throws BlvitError as `locateModel` and `openModel` */
export async function openNamed(reference: string, options: DownloadOptions): Promise<NamedModel> {
  const { name, folder } = await locateModel(reference, options)
  const files = await openModel(folder, { signal: options.signal })
  return { name, files, card: await readCard(folder) }
}
