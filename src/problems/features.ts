import { outputOf, programOf } from '../models/model-definition.js'
import { type OutputRow, type Problem, rowOf } from './problem.js'

/** Without the rows that only fill up a picture which has fewer tokens than another of its batch. */
function withoutFilling({ shape, values }: OutputRow, sizes: OutputRow | undefined): OutputRow {
  const [, width = 0] = shape
  if (!sizes?.values.includes(0)) return { shape, values }
  const real = Array.from(sizes.values.keys()).filter((token) => sizes.values[token] !== 0)
  const kept = new Float32Array(real.length * width)
  real.forEach((token, place) => {
    kept.set(values.subarray(token * width, (token + 1) * width), place * width)
  })
  return { shape: [real.length, width], values: kept }
}

/** All tokens of a picture after the final norm, `[tokens, width]`, prefix tokens first. */
export const features: Problem<OutputRow> = {
  name: 'features',
  optionKeys: {},
  outputs: (model) => {
    const { token_sizes } = programOf(model, 'embed')
    return { features: outputOf(model, 'embed', 'features'), ...(token_sizes && { token_sizes }) }
  },
  answer: (rows) => withoutFilling(rowOf(rows, 'features'), rows.token_sizes),
}
