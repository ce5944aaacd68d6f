import { assert } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import { noiseFor, pictureKey } from '../base/random.js'
import { type Bindings, evaluate } from '../graph/dim.js'
import type { Graph } from '../graph/graph.js'
import type { Tensor } from '../graph/tensor.js'
import { pixelsInput } from '../models/model-definition.js'
import type { NamedTensors, TensorData } from '../runtime/runtime.js'

/** What a run is fed with: a row of each input for each picture. */
export interface Feeds {
  /** Pictures in the run. */
  readonly batch: number
  /** By the names of the graph's inputs, most `[batch, …]`, e.g. `pixel_values [batch, channels, height, width]`. */
  readonly inputs: Readonly<Record<string, Float32Array>>
}

/** The uniform numbers in [0, 1) of a noise input. @param row how many of them each picture gets */
export type NoiseOf = (input: string, row: number) => Float32Array

/** Where numbers come from that nobody gives by name. */
export interface FeedSources {
  /** Values of the graph's run-time sizes. */
  readonly sizes: Bindings
  readonly noise: NoiseOf
}

/** Noise that is a picture's own: the same alone, in a batch or on another engine. */
export function noiseOfPictures({ batch, inputs }: Feeds, seed: number): NoiseOf {
  const pixels = inputs[pixelsInput] ?? new Float32Array()
  const size = pixels.length / batch
  let keys: readonly string[] | undefined
  return (input, row) => {
    // once for all inputs of a run: pictures are long, and most models have no noise
    keys ??= Array.from({ length: batch }, (_, i) => pictureKey(pixels.subarray(i * size, (i + 1) * size)))
    const noise = new Float32Array(batch * row)
    keys.forEach((picture, i) => {
      noise.set(noiseFor(seed, { input, picture, length: row }), i * row)
    })
    return noise
  }
}

function missing(name: string, { inputs }: Feeds): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    `The model asks for the input "${name}", which it wasn't given. It was given ${Object.keys(inputs).join(', ') || 'nothing'}.`,
    { input: name },
  )
}

function feedOf(tensor: Tensor, feeds: Feeds, { sizes, noise }: FeedSources): readonly [string, TensorData] {
  const { leaf } = tensor
  assert(leaf?.kind === 'input', 'a graph input without a leaf')
  const { name } = leaf
  if (leaf.role === 'size') {
    const size = sizes[leaf.defines]
    if (size === undefined) throw missing(name, feeds)
    return [name, { dtype: 'int64', shape: [1], values: BigInt64Array.of(BigInt(size)) }]
  }
  const shape = tensor.shape.map((dim) => evaluate(dim, { ...sizes, batch: feeds.batch }))
  if (leaf.role === 'noise') {
    const row = shape.slice(1).reduce((a, b) => a * b, 1)
    return [name, { dtype: 'float32', shape, values: noise(name, row) }]
  }
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
  { inputs }: Pick<Graph, 'inputs'>,
  feeds: Feeds,
  sources: FeedSources,
): NamedTensors {
  const named = Object.fromEntries(inputs.map((tensor) => feedOf(tensor, feeds, sources)))
  const unknown = Object.keys(feeds.inputs).find((name) => !Object.hasOwn(named, name))
  if (unknown === undefined) return named
  throw new BlvitError(
    'BAD_OPTION',
    `The model has no input "${unknown}". Its inputs are ${Object.keys(named).join(', ')}.`,
    { input: unknown },
  )
}
