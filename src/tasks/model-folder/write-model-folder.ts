import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { BlvitError, messageOf } from '../../errors/blvit-error.js'
import { writeHuggingFacePreprocessing } from '../../image/hugging-face-preprocessing.js'
import { writeSafetensors } from '../../weights/safetensors/write.js'
import type { StoredDtype } from '../../weights/stored-tensor.js'
import type { ModelFiles } from './model-files.js'

export interface WriteFolderOptions {
  /** The text of its README.md, front matter included. */
  readonly card: string
  /** Default: each tensor as it is stored. */
  readonly dtype?: StoredDtype | undefined
  /** Replace a folder that is there. Default false. */
  readonly overwrite?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

function configJson({ architecture, labels }: ModelFiles): unknown {
  return {
    ...architecture.json,
    id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
  }
}

async function checkTarget(folder: string, overwrite: boolean): Promise<void> {
  if (!existsSync(folder)) return
  const entries = await readdir(folder).catch(() => undefined)
  if (entries?.length === 0 || (entries && overwrite)) return
  throw new BlvitError(
    'WRITE_FAILED',
    entries
      ? `${folder} is there already and holds ${entries.length} files. Choose another folder, or --overwrite.`
      : `${folder} is a file, not a folder. Choose another name.`,
  )
}

/**
 * Writes a model's folder as the Hugging Face hub takes it: config.json, model.safetensors,
 * preprocessor_config.json, README.md. It appears whole or not at all.
 * @throws BlvitError `WRITE_FAILED`
 */
export async function writeModelFolder(
  folder: string,
  files: ModelFiles,
  { card, dtype, overwrite = false, signal }: WriteFolderOptions,
): Promise<void> {
  const target = resolve(folder)
  await checkTarget(target, overwrite)
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.incomplete`)
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
  try {
    // Only where it is missing: on /proc a recursive mkdir of Node never returns.
    if (!existsSync(dirname(target))) await mkdir(dirname(target), { recursive: true })
    await mkdir(temporary)
    await writeFile(join(temporary, 'config.json'), json(configJson(files)))
    const preprocessor = writeHuggingFacePreprocessing(files.preprocessing)
    await writeFile(join(temporary, 'preprocessor_config.json'), json(preprocessor))
    await writeFile(join(temporary, 'README.md'), card)
    // transformers refuses safetensors whose metadata don't name a framework's layout; "pt" is ours too
    const options = { metadata: { format: 'pt' }, signal, ...(dtype === undefined ? {} : { dtype }) }
    await writeSafetensors(join(temporary, 'model.safetensors'), files.weights, options)
    await rm(target, { recursive: true, force: true })
    await rename(temporary, target)
  } catch (thrown) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
    if (thrown instanceof BlvitError) throw thrown
    throw new BlvitError(
      'WRITE_FAILED',
      `${folder} can't be written: ${messageOf(thrown)}.`,
      {},
      { cause: thrown },
    )
  }
}
