import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { defined } from '../../../base/assert.js'
import { BlvitError } from '../../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../../base/check-options.js'
import { replaceFolder } from '../../../files/replace-folder.js'
import type { Precision } from '../../../graph/lowering.js'
import { writeHuggingFacePreprocessing } from '../../../image/hugging-face-preprocessing.js'
import { licenceOf } from '../../../model-store/model-card.js'
import { filesOf, type ModelFiles } from '../../../model-store/model-files.js'
import { readCard } from '../../../model-store/node/named-model.js'
import { openModel } from '../../../model-store/node/open-model.js'
import { resolveSettings } from '../../../settings/resolve.js'
import { type Settings, settingKeys, settingsOf } from '../../../settings/settings.js'
import { answersOf } from '../../export/onnx-model.js'
import { transformersJsConfig } from '../../export/transformers-js-config.js'
import { type Exported, type ExportOptions, exportOutputs } from './export-onnx.js'
import type { TransformersJsLayout } from './transformers-js-layout.js'
import { maskLayout } from './transformers-js-masks.js'

export interface ExportFolderOptions
  extends Pick<ExportOptions, 'precision' | 'allOutputs' | keyof Settings> {
  /** Replace a folder that is there. Default false. */
  readonly overwrite?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

const folderKeys: OptionKeys<ExportFolderOptions> = {
  ...settingKeys,
  ...{ precision: true, allOutputs: true, overwrite: true, signal: true },
}

/** What transformers.js looks for between `model` and `.onnx`, if its setting `dtype` is this. */
const fileSuffixes: Readonly<Record<Precision, string>> = { fp32: '', fp16: '_fp16', int8: '_int8' }

function classifierLayout(
  files: ModelFiles,
  { allOutputs = false }: Pick<ExportOptions, 'allOutputs'>,
): TransformersJsLayout {
  const { architecture, preprocessing } = files
  return {
    config: (precision) => transformersJsConfig(files, precision),
    preprocessor: writeHuggingFacePreprocessing({ ...preprocessing, ...architecture.image }),
    files: [{ name: 'model', outputs: (model) => answersOf(model, allOutputs) }],
    task: 'image-classification',
    example: `import { pipeline } from '@huggingface/transformers'

const classifier = await pipeline('image-classification', '<this folder or hub id>')
console.log(await classifier('photo.jpg'))`,
  }
}

/** @throws BlvitError `BAD_OPTION`, `UNSUPPORTED` */
function layoutOf(files: ModelFiles, options: Pick<ExportOptions, 'allOutputs'>): TransformersJsLayout {
  if (!files.architecture.facts.masks) return classifierLayout(files, options)
  if (!options.allOutputs) return maskLayout(files)
  throw new BlvitError(
    'BAD_OPTION',
    'SamModel knows no further outputs of its files. Leave --all-outputs out.',
  )
}

function cardOf(
  title: string,
  { task, example }: TransformersJsLayout,
  sourceCard: string | undefined,
): string {
  const licence = licenceOf(sourceCard)
  return `---
library_name: transformers.js
pipeline_tag: ${task}
${licence === undefined ? '' : `license: ${licence}\n`}---

# ${title}

Exported by \`blvit export --for transformers.js\`.

\`\`\`js
${example}
\`\`\`
`
}

/**
 * Writes a model as transformers.js and the Hugging Face hub lay it out: config.json with the labels,
 * preprocessor_config.json, onnx/model.onnx (model_fp16.onnx, model_int8.onnx) in operators of opset 17 with the
 * weights inside, README.md; of a model that cuts things out of pictures the two files of `SamModel`. The folder appears whole or not at all.
 * @param source the model's folder
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_WEIGHTS`, `BAD_OPTION`, `WRITE_FAILED`
 */
export async function exportForTransformersJs(
  source: string,
  folder: string,
  given: ExportFolderOptions = {},
): Promise<Exported> {
  checkOptions('option of an export', given, folderKeys)
  const { overwrite, signal, precision = 'fp32', allOutputs, ...options } = given
  const files = await openModel(source, { signal })
  const { architecture } = resolveSettings(files.architecture, settingsOf(options))
  const layout = layoutOf({ ...files, architecture }, { allOutputs })
  const sourceCard = await readCard(source)
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
  const exported: Exported[] = []
  const write = async (temporary: string) => {
    await mkdir(join(temporary, 'onnx'))
    for (const { name, outputs, precision: own = precision } of layout.files) {
      const file = join(temporary, `onnx/${name}${fileSuffixes[own]}.onnx`)
      exported.push(
        await exportOutputs(files, file, { ...options, precision: own, target: 'standard', outputs }),
      )
    }
    await writeFile(join(temporary, 'config.json'), json(layout.config(precision)))
    await writeFile(join(temporary, 'preprocessor_config.json'), json(layout.preprocessor))
    await writeFile(join(temporary, 'README.md'), cardOf(basename(resolve(folder)), layout, sourceCard))
  }
  await replaceFolder(folder, write, { overwrite, reads: filesOf(files) })
  return {
    ...defined(exported[0], 'the exported file'),
    sizeBytes: exported.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    inputs: [...new Set(exported.flatMap(({ inputs }) => inputs))],
    outputs: [...new Set(exported.flatMap(({ outputs }) => outputs))],
  }
}
