import { BlvitError } from '../base/blvit-error.js'
import { readFloats } from './read-floats.js'
import { storedFrom } from './stored-from.js'
import type { StoredTensor } from './stored-tensor.js'

/** A batch norm as it is stored, `[channels]` each: the learned scale and shift, and the statistics of its training. */
export interface StoredBatchNorm {
  readonly weight: StoredTensor
  readonly bias: StoredTensor
  readonly mean: StoredTensor
  readonly variance: StoredTensor
}

/** A linear map `[out, in]` or a convolution `[out, in, height, width]`, and its bias `[out]`. */
export interface StoredMap {
  readonly weight: StoredTensor
  readonly bias: StoredTensor | undefined
}

interface FoldOptions {
  /** Whether the norm sees what the map gives, or what it gets. */
  readonly stands: 'after' | 'before'
  readonly epsilon: number
  /** Of the norm, for messages. */
  readonly name: string
}

/** What the norm does to each channel: `scale·x + shift`, in double precision. */
async function factorsOf(norm: StoredBatchNorm, { epsilon, name }: FoldOptions) {
  const [weight, bias, mean, variance] = await Promise.all(
    [norm.weight, norm.bias, norm.mean, norm.variance].map(readFloats),
  )
  const scale = Float64Array.from(weight ?? [], (gain, i) => gain / Math.sqrt((variance?.[i] ?? 0) + epsilon))
  const shift = Float64Array.from(scale, (factor, i) => (bias?.[i] ?? 0) - (mean?.[i] ?? 0) * factor)
  const channel = scale.findIndex((factor, i) => !Number.isFinite(factor + (shift[i] ?? 0)))
  if (channel >= 0) {
    const message =
      `The batch norm ${name} gives no number for channel ${channel}: its variance is ${variance?.[channel]}, its mean ` +
      `${mean?.[channel]}. Its training diverged or the file is damaged: use an earlier checkpoint or download it again.`
    throw new BlvitError('BAD_WEIGHTS', message, { name, channel })
  }
  return { scale, shift }
}

/**
 * A map and the batch norm beside it as one map, in memory, as F32.
 * @throws BlvitError `BAD_WEIGHTS` where sizes don't go together, the norm gives no numbers, or a source can't be read
 */
export async function foldBatchNorm(
  { weight, bias }: StoredMap,
  norm: StoredBatchNorm,
  options: FoldOptions,
): Promise<{ weight: StoredTensor; bias: StoredTensor }> {
  const { stands, name } = options
  const [out = 0, inputs = 0, ...kernel] = weight.shape
  const channels = stands === 'after' ? out : inputs
  const sizes = Object.values(norm).map(({ shape }) => shape.join('×'))
  if (
    weight.shape.length < 2 ||
    sizes.some((size) => size !== `${channels}`) ||
    (bias && bias.shape.join() !== `${out}`)
  ) {
    const shapes = `[${weight.shape.join(', ')}] and a norm of ${[...new Set(sizes)].join(', ')} channels`
    throw new BlvitError('BAD_WEIGHTS', `The batch norm ${name} doesn't fit its map: they are ${shapes}.`, {
      name,
    })
  }
  const { scale, shift } = await factorsOf(norm, options)
  const values = await readFloats(weight)
  const offsets = bias ? await readFloats(bias) : new Float32Array(out)
  const places = kernel.reduce((product, side) => product * side, 1)
  const [each, folded] = [inputs * places, new Float32Array(out)]
  for (let row = 0; row < out; row++) {
    let offset = offsets[row] ?? 0
    if (stands === 'after') offset = offset * (scale[row] ?? 0) + (shift[row] ?? 0)
    for (let at = 0; at < each; at++) {
      const channel = stands === 'after' ? row : Math.floor(at / places)
      const value = values[row * each + at] ?? 0
      values[row * each + at] = value * (scale[channel] ?? 0)
      if (stands === 'before') offset += value * (shift[channel] ?? 0)
    }
    folded[row] = offset
  }
  return { weight: storedFrom(values, weight.shape), bias: storedFrom(folded, [out]) }
}
