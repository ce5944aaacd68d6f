import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import { floatTypes } from '../../graph/float-types.js'
import { type Graph, graphOf } from '../../graph/graph.js'
import type { Precision, Target } from '../../graph/lowering.js'
import { toOnnx } from '../../graph/onnx/write.js'
import type { ModelFiles } from '../../model-store/model-files.js'
import { type ModelDefinition, type Program, programOf } from '../../models/model-definition.js'
import { eventOutputs } from '../../models/token-history.js'
import { placeWeights } from '../../runtime/place-weights.js'
import type { ResolvedSettings } from '../../settings/resolve.js'
import { fitToGrid } from '../../weights/fit-to-grid.js'
import { storeAs } from '../../weights/store-as.js'
import type { ByteSource, StoredTensors } from '../../weights/stored-tensor.js'
import { storedBytes } from '../../weights/tensor-chunks.js'

/** protobuf can't hold more in one message. */
const maximumModelBytes = 2 ** 31 - 1

/** Which outputs of a model go into a file. */
export type OutputsOfModel = (model: ModelDefinition) => Program

/** What a classifier, or a backbone, is asked for. @param allOutputs also features, scores and routes, not only the logits */
export function answersOf(model: ModelDefinition, allOutputs: boolean): Program {
  const { programs, history } = model
  if (!allOutputs) return programOf(model, programs.classify ? 'classify' : 'embed')
  // what the heads read is for fitting others
  const { head: _, ...told } = programs
  return { ...Object.assign({}, ...Object.values(told)), ...eventOutputs(history) }
}

function graphToExport(
  { architecture, build }: Pick<ResolvedSettings, 'architecture' | 'build'>,
  outputs: OutputsOfModel,
): Graph {
  const model = architecture.build(build)
  return graphOf(architecture.family, outputs(model), { sizes: model.sizes })
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

export interface OnnxModelOptions {
  /** `standard`: operators of opset 17 only. */
  readonly target: Target
  readonly precision: Precision
  /** Where a file of weights lies beside the model; undefined: they are put inside. */
  readonly locate?: ((source: ByteSource) => string | undefined) | undefined
  /** Default: {@link answersOf} it. */
  readonly outputs?: OutputsOfModel | undefined
}

/**
 * A model as ONNX, for a file of its own.
 * @param settings of the same model
 * @throws BlvitError `BAD_OPTION` for weights that don't fit inside; `BAD_WEIGHTS` for such as are too large for float16
 */
export async function onnxModel(
  files: ModelFiles,
  settings: ResolvedSettings,
  { target, precision, locate, outputs = (model) => answersOf(model, false) }: OnnxModelOptions,
): Promise<{ readonly graph: Graph; readonly model: Uint8Array }> {
  // WebGPU computes with no sizes that are known only when a graph runs
  const fixed = target === 'webgpu' ? settings.sizes : {}
  const build = { ...settings.build, sizes: { ...settings.build.sizes, ...fixed } }
  const graph = graphToExport({ architecture: settings.architecture, build }, outputs)
  const fitted = await fitToGrid(files.weights, { from: files.architecture, to: settings.architecture })
  const used = new Map(
    graph.parameters.map(({ name }) => [name, defined(fitted.get(name), `the weight ${name}`)]),
  )
  const rounds = precision === 'fp16' && !locate
  const stored = rounds ? await inFloatTypes(used, graph) : used
  if (!locate) assertFits(stored)
  const { storageOf } = await placeWeights(stored, { locate: locate ?? (() => undefined) })
  const model = toOnnx(graph, {
    target,
    precision,
    storageOf,
    defaults: target === 'webgpu' ? {} : settings.sizes,
    metadata: metadataOf(files, settings),
  })
  return { graph, model }
}
