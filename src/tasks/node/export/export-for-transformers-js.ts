import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { defined } from '../../../base/assert.js'
import { replaceFolder } from '../../../files/replace-folder.js'
import type { Precision } from '../../../graph/lowering.js'
import { writeHuggingFacePreprocessing } from '../../../image/hugging-face-preprocessing.js'
import { licenceOf } from '../../../model-store/model-card.js'
import { filesOf } from '../../../model-store/model-files.js'
import { openModel } from '../../../model-store/node/open-model.js'
import { resolveSettings } from '../../../settings/resolve.js'
import { type Settings, settingsOf } from '../../../settings/settings.js'
import { transformersJsConfig } from '../../export/transformers-js-config.js'
import { type Exported, type ExportOptions, exportOnnx } from './export-onnx.js'

export interface ExportFolderOptions
  extends Pick<ExportOptions, 'precision' | 'allOutputs' | keyof Settings> {
  /** Replace a folder that is there. Default false. */
  readonly overwrite?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** What transformers.js looks for between `model` and `.onnx`, if its setting `dtype` is this. */
const fileSuffixes: Readonly<Record<Precision, string>> = { fp32: '', fp16: '_fp16', int8: '_int8' }

function cardOf(title: string, sourceCard: string | undefined): string {
  const licence = licenceOf(sourceCard)
  return `---
library_name: transformers.js
pipeline_tag: image-classification
${licence === undefined ? '' : `license: ${licence}\n`}---

# ${title}

Exported by \`blvit export --for transformers.js\`.

\`\`\`js
import { pipeline } from '@huggingface/transformers'

const classifier = await pipeline('image-classification', '<this folder or hub id>')
console.log(await classifier('photo.jpg'))
\`\`\`
`
}

/**
 * Writes a model as transformers.js and the Hugging Face hub lay it out: config.json with the labels,
 * preprocessor_config.json, onnx/model.onnx (model_fp16.onnx, model_int8.onnx) in operators of opset 17 with the
 * weights inside, README.md. The folder appears whole or not at all.
 * @param source the model's folder
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_WEIGHTS`, `BAD_OPTION`, `WRITE_FAILED`
 */
export async function exportForTransformersJs(
  source: string,
  folder: string,
  { overwrite, signal, precision = 'fp32', ...options }: ExportFolderOptions = {},
): Promise<Exported> {
  const files = await openModel(source, { signal })
  const { architecture } = resolveSettings(files.architecture, settingsOf(options))
  const preprocessing = { ...files.preprocessing, ...architecture.image }
  const sourceCard = await readFile(join(source, 'README.md'), 'utf8').catch(() => undefined)
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
  let exported: Exported | undefined
  const write = async (temporary: string) => {
    await mkdir(join(temporary, 'onnx'))
    const file = join(temporary, `onnx/model${fileSuffixes[precision]}.onnx`)
    exported = await exportOnnx(files, file, { ...options, precision, target: 'standard' })
    await writeFile(
      join(temporary, 'config.json'),
      json(transformersJsConfig({ ...files, architecture }, precision)),
    )
    const preprocessor = writeHuggingFacePreprocessing(preprocessing)
    await writeFile(join(temporary, 'preprocessor_config.json'), json(preprocessor))
    await writeFile(join(temporary, 'README.md'), cardOf(basename(resolve(folder)), sourceCard))
  }
  await replaceFolder(folder, write, { overwrite, reads: filesOf(files) })
  return defined(exported, 'the exported file')
}
