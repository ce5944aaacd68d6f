import { folderContents } from '../../model-store/folder-contents.js'
import type { ModelFiles } from '../../model-store/model-files.js'
import { resolveSettings } from '../../settings/resolve.js'
import { onnxModel } from '../export/onnx-model.js'
import { transformersJsConfig } from '../export/transformers-js-config.js'

/**
 * A model's folder in memory for both libraries: weights for blvit, a file of ONNX with the weights inside for transformers.js, and a
 * config.json that both read.
 * @throws BlvitError `BAD_WEIGHTS` if a tensor can't be read
 */
export async function taughtFolder(
  files: ModelFiles,
  card: string,
): Promise<Readonly<Record<string, Uint8Array<ArrayBuffer>>>> {
  const contents = await folderContents(files, { card })
  const { model } = await onnxModel(files, resolveSettings(files.architecture), {
    target: 'standard',
    precision: 'fp32',
  })
  const config = `${JSON.stringify(transformersJsConfig(files, 'fp32'), null, 2)}\n`
  return {
    ...contents,
    'config.json': new TextEncoder().encode(config),
    'onnx/model.onnx': Uint8Array.from(model),
  }
}
