import { writeHuggingFacePreprocessing } from '../image/hugging-face-preprocessing.js'
import { writeScoreFunction } from '../models/score-function.js'
import { encodeSafetensors } from '../weights/safetensors/encode.js'
import { writeMaskPreprocessing } from './mask-preprocessing.js'
import type { ModelFiles } from './model-files.js'

/** transformers refuses safetensors whose metadata don't name a framework's layout; "pt" is ours too. */
export const weightsMetadata = { format: 'pt' } as const

function configJson({ architecture, labels, scores }: ModelFiles): unknown {
  return {
    ...architecture.json,
    ...writeScoreFunction(scores, architecture.classes),
    ...(labels.length > 0 && { id2label: Object.fromEntries(labels.map((label, index) => [index, label])) }),
  }
}

/**
 * The files of a model's folder that are text, by name: config.json, preprocessor_config.json, README.md.
 * @param options `card`: the text of its README.md, front matter included
 */
export function folderTexts(
  files: ModelFiles,
  { card }: { readonly card: string },
): Readonly<Record<string, string>> {
  const { masks } = files.architecture.facts
  const preprocessing = masks
    ? writeMaskPreprocessing(masks)
    : writeHuggingFacePreprocessing(files.preprocessing)
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
  return {
    'config.json': json(configJson(files)),
    'preprocessor_config.json': json(preprocessing),
    'README.md': card,
  }
}

/**
 * A model's folder in memory, file by file, as the Hugging Face hub takes it.
 * @throws BlvitError `BAD_WEIGHTS` if a tensor can't be read
 */
export async function folderContents(
  files: ModelFiles,
  options: { readonly card: string },
): Promise<Readonly<Record<string, Uint8Array<ArrayBuffer>>>> {
  const texts = Object.entries(folderTexts(files, options)).map(
    ([name, text]) => [name, new TextEncoder().encode(text)] as const,
  )
  const { sizeBytes, chunks } = encodeSafetensors(files.weights, { metadata: weightsMetadata })
  const weights = new Uint8Array(sizeBytes)
  let at = 0
  for await (const chunk of chunks()) {
    weights.set(chunk, at)
    at += chunk.byteLength
  }
  return { ...Object.fromEntries(texts), 'model.safetensors': weights }
}
