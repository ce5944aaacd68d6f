import { realpathSync } from 'node:fs'
import { basename, dirname, relative, resolve, sep } from 'node:path'
import { BlvitError } from '../../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../../base/check-options.js'
import { assertNotInput, writeWholeFile } from '../../../files/output-files.js'
import type { Precision, Target } from '../../../graph/lowering.js'
import { filesOf, type ModelFiles } from '../../../model-store/model-files.js'
import type { Architecture } from '../../../models/architecture.js'
import { programOf } from '../../../models/model-definition.js'
import { eventOutputs } from '../../../models/token-history.js'
import { resolveSettings } from '../../../settings/resolve.js'
import { type Settings, settingKeys, settingsOf } from '../../../settings/settings.js'
import type { ByteSource } from '../../../weights/stored-tensor.js'
import { answersOf, type OutputsOfModel, onnxModel } from '../../export/onnx-model.js'

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
  /**
   * Of a model that cuts things out of pictures, which is two graphs: the one that makes an embedding of a picture, or the one that
   * makes masks of that and of prompts, with the inputs and outputs of segment-anything's own exporter. Default: it has one.
   */
  readonly part?: MaskPart | undefined
  /** Of the decoder: the one mask that a prompt is about, not all four. Default false. */
  readonly singleMask?: boolean | undefined
}

/** The graphs of a model that cuts things out of pictures. */
export type MaskPart = 'encoder' | 'decoder'

const exportKeys: OptionKeys<ExportOptions> = {
  ...settingKeys,
  target: true,
  precision: true,
  weights: true,
  allOutputs: true,
  part: true,
  singleMask: true,
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

type Wanted = Pick<ExportOptions, 'allOutputs' | 'part' | 'singleMask'>

/** @throws BlvitError `BAD_OPTION` for what doesn't go together, `UNSUPPORTED` */
function outputsOf(
  { family, facts }: Architecture,
  { allOutputs = false, part, singleMask }: Wanted,
): OutputsOfModel {
  const refused = (message: string) => new BlvitError('BAD_OPTION', message, { family })
  if (singleMask && part !== 'decoder') {
    throw refused('Only a decoder gives masks, one of them or all: --single-mask goes with --part decoder.')
  }
  if (!facts.masks) {
    if (part === undefined) return (model) => answersOf(model, allOutputs)
    throw refused(`A ${family} is one graph, and has no ${part}. Leave --part out.`)
  }
  if (part === undefined) {
    throw refused(
      `A ${family} is two graphs: one makes an embedding of a picture, the other masks of that and of prompts. Say --part encoder or --part decoder.`,
    )
  }
  if (part === 'encoder') {
    return (model) => ({ ...programOf(model, 'encode'), ...(allOutputs && eventOutputs(model.history)) })
  }
  if (allOutputs) throw refused('A decoder has no other outputs than its masks. Leave --all-outputs out.')
  return ({ portable }) => {
    if (portable) return portable.officialDecoder({ single: singleMask ?? false })
    const message = `segment-anything's decoder takes prompts that a ${family} doesn't know, so there is none to write of it.`
    throw new BlvitError('UNSUPPORTED', message, { family })
  }
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
 * has `kept`, the number of patches for the big blocks, with a default, or `kept.0`, `kept.1`, … where its selections choose
 * different numbers; for WebGPU those numbers are fixed. Node names are the scopes of the model.
 * @throws BlvitError `BAD_OPTION`, `WRITE_FAILED`; `BAD_WEIGHTS` for weights that are too large for float16
 */
export async function exportOnnx(
  files: ModelFiles,
  path: string,
  options: ExportOptions = {},
): Promise<Exported> {
  checkOptions('option of an export', options, exportKeys)
  const { precision = 'fp32', part } = options
  if (part === 'decoder' && precision !== 'fp32') {
    const message = `A decoder computes places in pixels, which ${precision} is too coarse for: leave --dtype out.`
    throw new BlvitError('BAD_OPTION', message)
  }
  return exportOutputs(files, path, { ...options, outputs: outputsOf(files.architecture, options) })
}

export interface ExportOutputsOptions
  extends Pick<ExportOptions, 'target' | 'precision' | 'weights' | keyof Settings> {
  readonly outputs: OutputsOfModel
}

/** The same of any outputs of a model. */
export async function exportOutputs(
  files: ModelFiles,
  path: string,
  options: ExportOutputsOptions,
): Promise<Exported> {
  const { target = 'native', precision = 'fp32', weights = 'inside', outputs } = options
  const { architecture } = files
  const settings = resolveSettings(architecture, settingsOf(options))
  const folder = existingFolder(path)
  await assertNotInput(path, filesOf(files))
  const { graph, model } = await onnxModel(files, settings, {
    ...{ target, precision, outputs },
    locate: weights === 'inside' ? undefined : locateBelow(folder),
  })
  await writeWholeFile(path, model)
  const inputs = graph.inputs.flatMap(({ leaf }) => (leaf?.kind === 'input' ? [leaf.name] : []))
  return {
    path: basename(path),
    sizeBytes: model.byteLength,
    precision,
    setting: settings.key,
    inputs,
    outputs: Object.keys(graph.outputs),
  }
}
