import fc from 'fast-check'
import { expect, test } from 'vitest'
import { foldBatchNorm } from '../../src/weights/fold-batch-norm.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { expectClose } from '../support/expect-close.js'

const small = { min: -3, max: 3, noNaN: true } as const
const numbers = (length: number) => fc.float32Array({ ...small, minLength: length, maxLength: length })
const [out, inputs, epsilon] = [3, 4, 1e-5]

/** `y = W·x + b` */
function mapped(weight: Float32Array, bias: Float32Array | undefined, x: readonly number[]): number[] {
  return Array.from({ length: out }, (_, row) =>
    x.reduce((sum, value, i) => sum + (weight[row * inputs + i] ?? 0) * value, bias?.[row] ?? 0),
  )
}

/** The formula of evaluation, channel by channel. */
function normed([gain, shift, mean, deviation]: readonly Float32Array[], x: readonly number[]): number[] {
  return x.map((value, i) => {
    const variance = (deviation?.[i] ?? 0) ** 2
    return ((value - (mean?.[i] ?? 0)) / Math.sqrt(variance + epsilon)) * (gain?.[i] ?? 0) + (shift?.[i] ?? 0)
  })
}

function storedNorm([gain, shift, mean, deviation]: readonly Float32Array[]) {
  const stored = (values?: Float32Array) => storedFrom(Float32Array.from(values ?? []), [values?.length ?? 0])
  return {
    weight: stored(gain),
    bias: stored(shift),
    mean: stored(mean),
    variance: stored(deviation?.map((value) => value ** 2)),
  }
}

const cases = fc.constantFrom('after' as const, 'before' as const).chain((stands) => {
  const channels = stands === 'after' ? out : inputs
  // a deviation near 0 would only test how float32 rounds large numbers
  const norm = fc
    .tuple(numbers(channels), numbers(channels), numbers(channels), numbers(channels))
    .map((parts) =>
      parts.map((values, i) => (i === 3 ? values.map((value) => Math.abs(value) + 0.5) : values)),
    )
  const bias = fc.option(numbers(out), { nil: undefined })
  return fc.record({
    stands: fc.constant(stands),
    weight: numbers(out * inputs),
    bias,
    norm,
    x: numbers(inputs),
  })
})

test('a map with a norm folded in gives what the map and the norm give, whichever comes first', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ stands, weight, bias, norm, x }) => {
      const map = { weight: storedFrom(weight, [out, inputs]), bias: bias && storedFrom(bias, [out]) }
      const folded = await foldBatchNorm(map, storedNorm(norm), { stands, epsilon, name: 'bn' })
      const values = [...x]
      const expected =
        stands === 'after'
          ? normed(norm, mapped(weight, bias, values))
          : mapped(weight, bias, normed(norm, values))
      const actual = mapped(await readFloats(folded.weight), await readFloats(folded.bias), values)
      // weights and biases are rounded to float32, sums of 4 products of up to 150
      expectClose(actual, expected, { rtol: 1e-5, atol: 1e-3 })
    }),
  )
})

test('a norm that gives no numbers, or of other channels, is refused by its name', async () => {
  const [one, two] = [Float32Array.of(1), Float32Array.of(1, 1)]
  const map = { weight: storedFrom(two, [1, 2]), bias: undefined }
  const options = { stands: 'after', epsilon, name: 'stem.bn' } as const
  const negative = { ...storedNorm([one, one, one, one]), variance: storedFrom(Float32Array.of(-1), [1]) }
  await expect(foldBatchNorm(map, negative, options)).rejects.toThrow(
    'The batch norm stem.bn gives no number for channel 0: its variance is -1, its mean 1.',
  )
  await expect(foldBatchNorm(map, storedNorm([two, two, two, two]), options)).rejects.toThrow(
    "The batch norm stem.bn doesn't fit its map: they are [1, 2] and a norm of 2 channels.",
  )
})
