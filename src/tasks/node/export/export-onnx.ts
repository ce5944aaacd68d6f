import { realpathSync } from 'node:fs'
import { basename, dirname, relative, resolve, sep } from 'node:path'
import { defined } from '../../../base/assert.js'
import { BlvitError } from '../../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../../base/check-options.js'
import { assertNotInput, writeWholeFile } from '../../../files/output-files.js'
import { floatTypes } from '../../../graph/float-types.js'
import { type Graph, graphOf } from '../../../graph/graph.js'
import type { Precision, Target } from '../../../graph/lowering.js'
import { toOnnx } from '../../../graph/onnx/write.js'
import { filesOf, type ModelFiles } from '../../../model-store/model-files.js'
import type { Architecture } from '../../../models/architecture.js'
import { type ModelDefinition, type Program, programOf } from '../../../models/model-definition.js'
import { eventOutputs } from '../../../models/token-history.js'
import { placeWeights } from '../../../runtime/place-weights.js'
import { type ResolvedSettings, resolveSettings } from '../../../settings/resolve.js'
import { type Settings, settingKeys, settingsOf } from '../../../settings/settings.js'
import { fitToGrid } from '../../../weights/fit-to-grid.js'
import { storeAs } from '../../../weights/store-as.js'
import type { ByteSource, StoredTensors } from '../../../weights/stored-tensor.js'
import { storedBytes } from '../../../weights/tensor-chunks.js'

/** protobuf can't hold more in one message. */
const maximumModelBytes = 2 ** 31 - 1

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

/** Which outputs of a model go into a file. */
type Outputs = (model: ModelDefinition) => Program

/** @throws BlvitError `BAD_OPTION` for what doesn't go together, `UNSUPPORTED` */
function outputsOf(
  { family, facts }: Architecture,
  { allOutputs = false, part, singleMask }: Wanted,
): Outputs {
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

/** What a classifier, or a backbone, is asked for. */
export function answersOf(model: ModelDefinition, allOutputs: boolean): Program {
  const { programs, history } = model
  if (!allOutputs) return programOf(model, programs.classify ? 'classify' : 'embed')
  // what the heads read is for fitting others
  const { head: _, ...told } = programs
  return { ...Object.assign({}, ...Object.values(told)), ...eventOutputs(history) }
}

function graphToExport(
  { architecture, build }: Pick<ResolvedSettings, 'architecture' | 'build'>,
  outputs: Outputs,
): Graph {
  const model = architecture.build(build)
  return graphOf(architecture.family, outputs(model), { sizes: model.sizes })
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

/** Weights to put inside a file: in float16 where they are computed with in float16, and so of half the size. */
async function inFloatTypes(weights: StoredTensors, { nodes }: Graph): Promise<StoredTensors> {
  const typeOf = floatTypes(nodes, 'fp16')
  const converted = new Map(weights)
  for (const node of nodes) {
    if (node.leaf?.kind !== 'parameter') continue
    const { name } = node.leaf
    const dtype = typeOf(node) === 'float16' ? 'F16' : 'F32'
    converted.set(name, await storeAs(name, defined(weights.get(name), `the weight ${name}`), dtype))
  }
  return converted
}

function assertFits(weights: StoredTensors): void {
  const totalBytes = [...weights.values()].reduce((sum, tensor) => sum + storedBytes(tensor), 0)
  if (totalBytes <= maximumModelBytes) return
  throw new BlvitError(
    'BAD_OPTION',
    `The weights have ${(totalBytes / 1e9).toFixed(1)} GB and an ONNX file holds 2 GB at most. Use --external.`,
  )
}

function metadataOf(
  { preprocessing, labels, scores }: ModelFiles,
  { architecture, values }: ResolvedSettings,
) {
  return {
    configuration: JSON.stringify(architecture.json),
    preprocessing: JSON.stringify({ ...preprocessing, ...architecture.image }),
    labels: JSON.stringify(labels),
    scores,
    settings: JSON.stringify(values),
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
  const { precision = 'fp32', part } = options
  if (part === 'decoder' && precision !== 'fp32') {
    const message = `A decoder computes places in pixels, which ${precision} is too coarse for: leave --dtype out.`
    throw new BlvitError('BAD_OPTION', message)
  }
  return exportOutputs(files, path, { ...options, outputs: outputsOf(files.architecture, options) })
}

export interface ExportOutputsOptions
  extends Pick<ExportOptions, 'target' | 'precision' | 'weights' | keyof Settings> {
  readonly outputs: Outputs
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
  const locate = weights === 'inside' ? () => undefined : locateBelow(folder)
  // WebGPU computes with no sizes that are known only when a graph runs
  const fixed = target === 'webgpu' ? settings.sizes : {}
  const build = { ...settings.build, sizes: { ...settings.build.sizes, ...fixed } }
  const graph = graphToExport({ architecture: settings.architecture, build }, outputs)
  const fitted = await fitToGrid(files.weights, { from: architecture, to: settings.architecture })
  const used = new Map(
    graph.parameters.map(({ name }) => [name, defined(fitted.get(name), `the weight ${name}`)]),
  )
  const rounds = precision === 'fp16' && weights === 'inside'
  const stored = rounds ? await inFloatTypes(used, graph) : used
  if (weights === 'inside') assertFits(stored)
  const { storageOf } = await placeWeights(stored, { locate })
  const model = toOnnx(graph, {
    target,
    precision,
    storageOf,
    defaults: target === 'webgpu' ? {} : settings.sizes,
    metadata: metadataOf(files, settings),
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
