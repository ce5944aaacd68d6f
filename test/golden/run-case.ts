import * as ort from 'onnxruntime-node'
import { defined } from '../../src/base/assert.js'
import { gradients } from '../../src/graph/gradients.js'
import { type Graph, graphOf } from '../../src/graph/graph.js'
import type { Target } from '../../src/graph/lowering.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { foldBatchNorms } from '../../src/model-store/fold-batch-norms.js'
import { canonicalNames } from '../../src/model-store/name-maps/canonical-names.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { ortSession } from '../../src/runtime/ort-session.js'
import { placeWeights } from '../../src/runtime/place-weights.js'
import type { NamedTensors, Session } from '../../src/runtime/runtime.js'
import { fitParameters } from '../../src/weights/fit.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import type { StoredTensor, StoredTensors } from '../../src/weights/stored-tensor.js'
import type { Golden } from '../support/golden.js'
import type { Built, Ours } from './method.js'
import { placeOfOfficial } from './official-names.js'
import { resizedPositions } from './position-embedding.js'

/** Ours for some official outputs, as far as they were run. */
export interface CaseRun {
  /** Of all pictures, or of one. */
  numbers(output: string): readonly number[]
  /** Whether an output has a row for each picture. */
  isPerPicture(output: string): boolean
}

function tensorsOf(ours: Ours): readonly Tensor[] {
  if ('id' in ours) return [ours]
  return 'row' in ours ? Object.values(ours.tensors) : []
}

function nameOf({ id }: Tensor): string {
  return `t${id}`
}

/** The position embedding for the grid of the pictures, where the stored one is for another. */
function positioned(
  golden: Golden,
  { prefix, from, to }: NonNullable<Built['positions']>,
): StoredTensor | undefined {
  const name = 'w/pos_embed'
  if (from.join() === to.join() || !golden.has(name)) return undefined
  const [, stored = 0, width = 0] = golden.shape(name)
  const [rows, columns] = from
  if (stored !== prefix + rows * columns) return undefined
  const values = resizedPositions(golden.floats(name), { prefix, from, to, width })
  return storedFrom(values, [1, values.length / width, width])
}

/** How the weights of a case become those of its graph. */
type WeightsOf = Pick<Built, 'positions' | 'names' | 'batchNorms'>

/** The stored weights under our names, norms folded. */
async function weightsOf(golden: Golden, { names, batchNorms = [] }: WeightsOf): Promise<StoredTensors> {
  const { tensors } = canonicalNames(golden.weights('w/'), names ? [names] : [])
  return await foldBatchNorms(tensors, batchNorms)
}

async function load(
  graph: Graph,
  { golden, target, ...built }: { golden: Golden; target: Target } & WeightsOf,
): Promise<Session> {
  const needed = new Set(graph.parameters.map(({ name }) => name))
  // what this graph doesn't read, e.g. a head beside a loss of features, may be there all the same
  const stored = new Map([...(await weightsOf(golden, built))].filter(([name]) => needed.has(name)))
  const resized = built.positions && positioned(golden, built.positions)
  if (resized) stored.set('pos_embed', resized)
  const weights = fitParameters(graph.parameters, stored, { source: 'the case' })
  if (target === 'native') return await (await nativeRuntime()).load(graph, weights)
  const { storageOf } = await placeWeights(weights, { locate: () => undefined })
  // on WebGPU's form too: the processor can run all that it consists of
  const session = await ort.InferenceSession.create(toOnnx(graph, { target, storageOf }), {
    logSeverityLevel: 4,
  })
  return ortSession(ort, session, { writesInto: true })
}

function feedsOf(graph: Graph, inputs: Golden, [from, to]: readonly [number, number]) {
  return Object.fromEntries(
    graph.inputs.map(({ leaf }) => {
      const name = defined(leaf, 'an input').name
      const stored = `in/${name === 'pixel_values' ? 'x' : name}`
      const shape = inputs.shape(stored)
      const each = shape.slice(1).reduce((a, b) => a * b, 1)
      // class numbers are stored as integers
      const all = inputs.isInteger(stored)
        ? Float32Array.from(inputs.integers(stored))
        : inputs.floats(stored)
      const values = all.slice(from * each, to * each)
      return [name, { dtype: 'float32' as const, shape: [to - from, ...shape.slice(1)], values }]
    }),
  )
}

/** The numbers of official outputs out of what the engine gave. */
function readRun(results: NamedTensors, outputs: Built['outputs'], pictures: number): CaseRun {
  const valuesOf = (tensor: Tensor) => Array.from(results[nameOf(tensor)]?.values ?? [], Number)
  const rowOf = (tensor: Tensor, picture: number) => {
    const all = valuesOf(tensor)
    const each = all.length / pictures
    return all.slice(picture * each, (picture + 1) * each)
  }
  const ours = (output: string) => defined(outputs[output], output)
  return {
    isPerPicture: (output) => {
      const found = ours(output)
      if ('id' in found) return typeof found.shape[0] !== 'number'
      return 'row' in found && !found.onlyTogether
    },
    numbers: (output) => {
      const found = ours(output)
      if ('id' in found) return valuesOf(found)
      if (!('row' in found)) return found
      return Array.from({ length: pictures }, (_, picture) => {
        const named = Object.entries(found.tensors).map(([name, tensor]) => [name, rowOf(tensor, picture)])
        return [...found.row(Object.fromEntries(named))]
      }).flat()
    },
  }
}

/** A case as one graph of all that is compared. Dispose it. */
export async function loadCase(
  name: string,
  { outputs, ...built }: Pick<Built, 'outputs'> & WeightsOf,
  { golden, target }: { golden: Golden; target: Target },
) {
  const tensors = Object.values(outputs).flatMap(tensorsOf)
  const graph = graphOf(name, Object.fromEntries(tensors.map((tensor) => [nameOf(tensor), tensor])))
  const session = await load(graph, { ...built, golden, target })
  return {
    run: async (from: number, to: number): Promise<CaseRun> =>
      readRun(await session.run(feedsOf(graph, golden, [from, to])), outputs, to - from),
    [Symbol.asyncDispose]: () => session.dispose(),
  }
}

/** The loss of a case and the gradient of each named parameter. */
export async function runGradients(
  { loss, ...built }: { loss: Tensor } & WeightsOf,
  official: readonly string[],
  { model, inputs }: { model: Golden; inputs: Golden },
): Promise<{ loss: number; gradientOf: (parameter: string) => readonly number[] }> {
  const { nodes } = graphOf('loss', { loss })
  const sizeOf = (parameter: string) => model.shape(`w/${parameter}`).reduce((a, b) => a * b, 1)
  const placeOf = (parameter: string) => placeOfOfficial(parameter, built.names ?? { rules: [] }, sizeOf)
  const parameters = [...new Set(official.map((parameter) => placeOf(parameter).parameter))]
  const leaves = parameters.map((name) => nodes.find(({ leaf }) => leaf?.name === name))
  const missing = parameters.filter((_, i) => leaves[i] === undefined)
  if (missing.length > 0) throw new Error(`the loss doesn't depend on ${missing.join(', ')}`)
  const found = gradients(
    loss,
    leaves.flatMap((leaf) => leaf ?? []),
  )
  const outputs = {
    loss,
    ...Object.fromEntries(found.map((gradient, i) => [`gradient of ${parameters[i]}`, gradient])),
  }
  const graph = graphOf('backward', outputs)
  await using session = await load(graph, { ...built, golden: model, target: 'native' })
  const both: Golden = {
    ...model,
    floats: (name) => (inputs.has(name) ? inputs : model).floats(name),
    integers: (name) => (inputs.has(name) ? inputs : model).integers(name),
    isInteger: (name) => (inputs.has(name) ? inputs : model).isInteger(name),
    shape: (name) => (inputs.has(name) ? inputs : model).shape(name),
  }
  const pictures = defined(model.shape('in/x')[0], 'the batch')
  const results = await session.run(feedsOf(graph, both, [0, pictures]))
  const numbers = (output: string) => Array.from(results[output]?.values ?? [], Number)
  return {
    loss: numbers('loss')[0] ?? Number.NaN,
    gradientOf: (parameter) => {
      const { parameter: ours, from } = placeOf(parameter)
      return numbers(`gradient of ${ours}`).slice(from, from + sizeOf(parameter))
    },
  }
}
