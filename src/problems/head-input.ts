import { outputOf } from '../models/model-definition.js'
import { type Problem, rowOf } from './problem.js'

/** What a classifier's head reads of a picture, `[inputs]`: what another head on the same model is fitted to. */
export const headInput: Problem<Float32Array> = {
  name: 'head input',
  outputs: (model) => ({ head_input: outputOf(model, 'head', 'head_input') }),
  answer: (rows) => rowOf(rows, 'head_input').values,
}
