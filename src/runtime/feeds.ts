import type { InferenceSession } from 'onnxruntime-common'
import { BlvitError } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'
import type { NamedTensors, TensorData } from './runtime.js'

function shown(shape: readonly (number | string)[]): string {
  return `[${shape.join(', ')}]`
}

function checkFeed(expected: InferenceSession.ValueMetadata, data: TensorData | undefined): void {
  const { name } = expected
  if (!data) throw new BlvitError('BAD_OPTION', `The input "${name}" was not given.`, { input: name })
  const { dtype, shape, values } = data
  const count = shape.reduce((product, size) => product * size, 1)
  if (values.length !== count) {
    throw new BlvitError(
      'SHAPE_MISMATCH',
      `The input "${name}" has ${values.length} numbers, but ${shown(shape)} are ${count}.`,
      { input: name, shape },
    )
  }
  if (!expected.isTensor) return
  if (dtype !== expected.type) {
    const message = `The input "${name}" is ${dtype}; the graph takes ${expected.type}.`
    throw new BlvitError('BAD_OPTION', message, { input: name })
  }
  // a size with a name, e.g. "batch", is every run's own
  const fits = (size: number | string, axis: number) => typeof size === 'string' || size === shape[axis]
  if (shape.length === expected.shape.length && expected.shape.every(fits)) return
  throw new BlvitError(
    'SHAPE_MISMATCH',
    `The input "${name}" is ${shown(shape)}; the graph takes ${shown(expected.shape)}.`,
    { input: name, shape, expected: expected.shape },
  )
}

/**
 * Compares what a session is fed with what its graph takes, which engines do late, in part, or not at all.
 * @throws BlvitError `BAD_OPTION` for an input that is missing, unknown or of another type, `SHAPE_MISMATCH`
 */
export function checkFeeds(expected: readonly InferenceSession.ValueMetadata[], feeds: NamedTensors): void {
  const names = expected.map(({ name }) => name)
  const unknown = Object.keys(feeds).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new BlvitError(
      'BAD_OPTION',
      `The graph has no input "${unknown}".${didYouMean(unknown, names)} Its inputs are ${names.join(', ')}.`,
      { input: unknown },
    )
  }
  for (const metadata of expected) checkFeed(metadata, feeds[metadata.name])
}
