import { classify } from './classify.js'
import { type Problem, rowOf } from './problem.js'

/** The raw class scores of a picture, before softmax: `[classes]`. It runs the graph of {@link classify}. */
export const logits: Problem<Float32Array> = {
  name: classify.name,
  outputs: classify.outputs,
  ...(classify.isSure && { isSure: classify.isSure }),
  answer: (rows) => rowOf(rows, 'logits').values,
}
