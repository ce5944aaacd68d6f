import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFolder } from '../../files/replace-folder.js'
import { writeHuggingFacePreprocessing } from '../../image/hugging-face-preprocessing.js'
import { writeScoreFunction } from '../../models/score-function.js'
import { writeSafetensors } from '../../weights/node/write-safetensors.js'
import type { StoredDtype } from '../../weights/stored-tensor.js'
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

function configJson({ architecture, labels, scores }: ModelFiles): unknown {
  return {
    ...architecture.json,
    ...writeScoreFunction(scores, architecture.classes),
    ...(labels.length > 0 && { id2label: Object.fromEntries(labels.map((label, index) => [index, label])) }),
  }
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
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
  const write = async (temporary: string) => {
    await writeFile(join(temporary, 'config.json'), json(configJson(files)))
    const preprocessor = writeHuggingFacePreprocessing(files.preprocessing)
    await writeFile(join(temporary, 'preprocessor_config.json'), json(preprocessor))
    await writeFile(join(temporary, 'README.md'), card)
    for (const [name, content] of Object.entries(besides)) await writeFile(join(temporary, name), content)
    // transformers refuses safetensors whose metadata don't name a framework's layout; "pt" is ours too
    const options = { metadata: { format: 'pt' }, signal, ...(dtype === undefined ? {} : { dtype }) }
    await writeSafetensors(join(temporary, 'model.safetensors'), files.weights, options)
  }
  await replaceFolder(folder, write, { overwrite, reads: filesOf(files) })
}
