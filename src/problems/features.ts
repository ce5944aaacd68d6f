import { outputOf } from '../models/model-definition.js'
import { type OutputRow, type Problem, rowOf } from './problem.js'

/** All tokens of a picture after the final norm, `[tokens, width]`, prefix tokens first. */
export const features: Problem<OutputRow> = {
  name: 'features',
  optionKeys: {},
  outputs: (model) => ({ features: outputOf(model, 'embed', 'features') }),
  answer: (rows) => rowOf(rows, 'features'),
}
