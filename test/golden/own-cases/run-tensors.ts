import { defined } from '../../../src/base/assert.js'
import { graphOf } from '../../../src/graph/graph.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import { nativeRuntime } from '../../../src/runtime/node/native.js'
import type { TensorData } from '../../../src/runtime/runtime.js'
import { fitParameters } from '../../../src/weights/fit.js'
import type { StoredTensors } from '../../../src/weights/stored-tensor.js'

/** An input of a graph as a golden file holds it. */
export interface Fed {
  readonly shape: readonly number[]
  readonly values: ArrayLike<number>
}

/** Weights of a part under the names that they have in the whole. */
export function underName(weights: StoredTensors, prefix: string): StoredTensors {
  return new Map([...weights].map(([name, tensor]) => [`${prefix}${name}`, tensor]))
}

/**
 * The numbers of some tensors.
 * @param given `weights`: may hold more than the tensors need; `feeds`: by the names of inputs
 */
export async function runTensors(
  outputs: Readonly<Record<string, Tensor>>,
  { weights, feeds }: { weights: StoredTensors; feeds: Readonly<Record<string, Fed>> },
): Promise<Readonly<Record<string, Float32Array>>> {
  const names = Object.keys(outputs)
  // an engine may not know names with dots
  const numbered = names.map((name, at) => [`t${at}`, defined(outputs[name], name)] as const)
  const graph = graphOf('golden', Object.fromEntries(numbered))
  const needed = new Set(graph.parameters.map(({ name }) => name))
  const stored = new Map([...weights].filter(([name]) => needed.has(name)))
  const runtime = await nativeRuntime()
  await using session = await runtime.load(
    graph,
    fitParameters(graph.parameters, stored, { source: 'the case' }),
  )
  const given = graph.inputs.map(({ leaf, dtype }): readonly [string, TensorData] => {
    const { name } = defined(leaf, 'an input')
    const { shape, values } = defined(feeds[name], `what ${name} is fed with`)
    if (dtype === 'float32') return [name, { dtype, shape, values: Float32Array.from(values) }]
    return [name, { dtype, shape, values: BigInt64Array.from(Array.from(values), BigInt) }]
  })
  const results = await session.run(Object.fromEntries(given))
  return Object.fromEntries(
    names.map((name, at) => [name, Float32Array.from(results[`t${at}`]?.values ?? [], Number)]),
  )
}
