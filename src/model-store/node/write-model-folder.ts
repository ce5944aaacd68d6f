import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFolder } from '../../files/replace-folder.js'
import { writeSafetensors } from '../../weights/node/write-safetensors.js'
import type { StoredDtype } from '../../weights/stored-tensor.js'
import { folderTexts, weightsMetadata } from '../folder-contents.js'
import { filesOf, type ModelFiles } from '../model-files.js'

export interface WriteFolderOptions {
  /** The text of its README.md, front matter included. */
  readonly card: string
  /** Default: each tensor as it is stored. */
  readonly dtype?: StoredDtype | undefined
  /** Replace a folder that is there. Default false. */
  readonly overwrite?: boolean | undefined
  /** Further files beside the model's, by name. */
  readonly besides?: Readonly<Record<string, Uint8Array | string>> | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes a model's folder as the Hugging Face hub takes it: config.json, model.safetensors,
 * preprocessor_config.json, README.md. It appears whole or not at all.
 * @throws BlvitError `WRITE_FAILED`
 */
export async function writeModelFolder(
  folder: string,
  files: ModelFiles,
  { card, dtype, overwrite = false, besides = {}, signal }: WriteFolderOptions,
): Promise<void> {
  const write = async (temporary: string) => {
    const texts = folderTexts(files, { card })
    for (const [name, content] of Object.entries({ ...texts, ...besides }))
      await writeFile(join(temporary, name), content)
    const options = { metadata: weightsMetadata, signal, ...(dtype === undefined ? {} : { dtype }) }
    await writeSafetensors(join(temporary, 'model.safetensors'), files.weights, options)
  }
  await replaceFolder(folder, write, { overwrite, reads: filesOf(files) })
}
