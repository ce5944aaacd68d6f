import { assert } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import { noiseFor, pictureKey } from '../base/random.js'
import { type Bindings, evaluate } from '../graph/dim.js'
import type { Graph } from '../graph/graph.js'
import type { Tensor } from '../graph/tensor.js'
import type { NamedTensors, TensorData } from '../runtime/runtime.js'

/** What a run is fed with: a row of each input for each picture. */
export interface Feeds {
  /** Pictures in the run. */
  readonly batch: number
  /** By the names of the graph's inputs, each `[batch, …]`, e.g. `pixel_values [batch, channels, height, width]`. */
  readonly inputs: Readonly<Record<string, Float32Array>>
}

/**
 * Noise in [0, 1) for an input, `[batch, …]`: a picture's row is its own, alone, in a batch or on another engine.
 */
function noiseRows(
  name: string,
  shape: readonly number[],
  { inputs, batch }: Feeds,
  seed: number,
): Float32Array {
  const [pictures = new Float32Array()] = Object.values(inputs)
  const length = shape.slice(1).reduce((a, b) => a * b, 1)
  const noise = new Float32Array(batch * length)
  const pictureSize = pictures.length / batch
  for (let row = 0; row < batch; row++) {
    const picture = pictureKey(pictures.subarray(row * pictureSize, (row + 1) * pictureSize))
    noise.set(noiseFor(seed, { input: name, picture, length }), row * length)
  }
  return noise
}

function missing(name: string, { inputs }: Feeds): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    `The model asks for the input "${name}", which it wasn't given. It was given ${Object.keys(inputs).join(', ') || 'nothing'}.`,
    { input: name },
  )
}

function feedOf(tensor: Tensor, feeds: Feeds, sizes: Bindings, seed: number): readonly [string, TensorData] {
  const { leaf } = tensor
  assert(leaf?.kind === 'input', 'a graph input without a leaf')
  const { name, role } = leaf
  const shape = tensor.shape.map((dim) => evaluate(dim, sizes))
  if (role === 'size') {
    const value = sizes[name]
    if (value === undefined) throw missing(name, feeds)
    return [name, { dtype: 'int64', shape, values: BigInt64Array.of(BigInt(value)) }]
  }
  if (role === 'noise')
    return [name, { dtype: 'float32', shape, values: noiseRows(name, shape, feeds, seed) }]
  const values = feeds.inputs[name]
  if (values === undefined) throw missing(name, feeds)
  const expected = shape.reduce((a, b) => a * b, 1)
  if (values.length !== expected) {
    throw new BlvitError(
      'SHAPE_MISMATCH',
      `The input ${name} has ${values.length} numbers, but [${shape}] are ${expected}.`,
      { input: name },
    )
  }
  return [name, { dtype: 'float32', shape, values }]
}

/**
 * What the inputs of a graph are fed with: what is given by name, sizes, and noise where the graph declares noise.
 * @throws BlvitError `BAD_OPTION` for an input that nobody gave, or a gift that no input takes; `SHAPE_MISMATCH`
 */
export function feedGraph(
  { inputs }: Graph,
  feeds: Feeds,
  { sizes, seed }: { sizes: Bindings; seed: number },
): NamedTensors {
  const bound = { ...sizes, batch: feeds.batch }
  const named = Object.fromEntries(inputs.map((tensor) => feedOf(tensor, feeds, bound, seed)))
  const unknown = Object.keys(feeds.inputs).find((name) => !Object.hasOwn(named, name))
  if (unknown === undefined) return named
  throw new BlvitError(
    'BAD_OPTION',
    `The model has no input "${unknown}". Its inputs are ${Object.keys(named).join(', ')}.`,
    { input: unknown },
  )
}
