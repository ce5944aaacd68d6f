import { realpathSync } from 'node:fs'
import { basename, dirname, relative, resolve, sep } from 'node:path'
import { BlvitError } from '../../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../../base/check-options.js'
import { assertNotInput, writeWholeFile } from '../../../files/output-files.js'
import type { Precision, Target } from '../../../graph/lowering.js'
import { filesOf, type ModelFiles } from '../../../model-store/model-files.js'
import { resolveSettings } from '../../../settings/resolve.js'
import { type Settings, settingKeys, settingsOf } from '../../../settings/settings.js'
import type { ByteSource } from '../../../weights/stored-tensor.js'
import { onnxModel } from '../../export/onnx-model.js'

/** Settings among them: a run-time size is written as the default of its input; what decides how the model is built is fixed. */
export interface ExportOptions extends Settings {
  /** `standard`: operators of opset 17 only. Default `native`: the fused operators of current ONNX Runtime. */
  readonly target?: Target | undefined
  /** What the file computes in; its inputs and outputs are float32. Default `fp32`. */
  readonly precision?: Precision | undefined
  /**
   * `inside` the file, or `external`: the file points into the model's safetensors, which must stay where they
   * are. Default: inside.
   */
  readonly weights?: 'inside' | 'external' | undefined
  /** Also give the features, scores and routes, not only the logits. */
  readonly allOutputs?: boolean | undefined
}

const exportKeys: OptionKeys<ExportOptions> = {
  ...settingKeys,
  target: true,
  precision: true,
  weights: true,
  allOutputs: true,
}

/** What was written. */
export interface Exported {
  readonly path: string
  readonly sizeBytes: number
  readonly precision: Precision
  /** What it runs at unless told otherwise, as people read it: `evit:0.7`, `keep ratio 0.5`, `plain`. */
  readonly setting: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

function existingFolder(path: string): string {
  try {
    return realpathSync(dirname(resolve(path)))
  } catch {
    throw new BlvitError(
      'WRITE_FAILED',
      `${path} can't be written: there is no folder ${dirname(resolve(path))}.`,
    )
  }
}

/** External data may lie in the model's folder or below, but not above it: engines refuse that as an escape. */
function locateBelow(folder: string): (source: ByteSource) => string | undefined {
  return ({ path }) => {
    // a position embedding that was resampled, or a map with its batch norm folded in, lies in no file: it is put inside
    if (path === undefined) return undefined
    const location = relative(folder, realpathSync(path))
    if (!location.startsWith('..')) return location.split(sep).join('/')
    throw new BlvitError(
      'BAD_OPTION',
      `The weights lie in ${path}, outside ${folder}: ONNX engines refuse external data above the model. ` +
        "Write the ONNX file into the model's folder, or put the weights inside.",
    )
  }
}

/**
 * Writes a model as an ONNX file. Its input is `pixel_values [batch, channels, height, width]`; a model that routes also
 * has `kept`, the number of patches for the big blocks, with a default; for WebGPU that number is fixed. Node names are
 * the scopes of the model.
 * @throws BlvitError `BAD_OPTION`, `WRITE_FAILED`; `BAD_WEIGHTS` for weights that are too large for float16
 */
export async function exportOnnx(
  files: ModelFiles,
  path: string,
  options: ExportOptions = {},
): Promise<Exported> {
  checkOptions('option of an export', options, exportKeys)
  const { target = 'native', precision = 'fp32', weights = 'inside', allOutputs = false } = options
  const { architecture } = files
  const settings = resolveSettings(architecture, settingsOf(options))
  const folder = existingFolder(path)
  await assertNotInput(path, filesOf(files))
  const { graph, model } = await onnxModel(files, settings, {
    ...{ target, precision, allOutputs },
    locate: weights === 'inside' ? undefined : locateBelow(folder),
  })
  await writeWholeFile(path, model)
  const inputs = graph.inputs.flatMap(({ leaf }) => (leaf?.kind === 'input' ? [leaf.name] : []))
  const outputs = Object.keys(graph.outputs)
  return {
    path: basename(path),
    sizeBytes: model.byteLength,
    precision,
    setting: settings.key,
    inputs,
    outputs,
  }
}
