import { elements } from '../../graph/dim.js'
import {
  divideBySize,
  logSoftmax,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
  softmax,
  subtract,
} from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'

export interface KlDivergenceOptions {
  /** Both distributions are softened by it, and the result is multiplied by its square (1). */
  readonly temperature?: number
  /** What the sum is divided by: the number of pictures, or of pictures times classes as DeiT does. */
  readonly average?: 'pictures' | 'elements'
}

/**
 * How far a student's class distribution is from its teacher's: `τ²·Σ t·(log t − log s)`, averaged.
 * @param student logits `[batch, classes]` @param teacher logits `[batch, classes]`
 * @returns `[1]`
 */
export function klDivergence(
  student: Tensor,
  teacher: Tensor,
  { temperature = 1, average = 'pictures' }: KlDivergenceOptions = {},
): Tensor {
  const [softStudent, softTeacher] = [student, teacher].map((x) => scaleShift(x, { scale: 1 / temperature }))
  if (!softStudent || !softTeacher) throw new Error('blvit bug: two logits make two')
  const difference = subtract(logSoftmax(softTeacher), logSoftmax(softStudent))
  const total = reshape(reduceSum(multiply(softmax(softTeacher), difference)), [1])
  const count = average === 'pictures' ? sizeAt(student, 0) : elements(student.shape)
  return scaleShift(divideBySize(total, count), { scale: temperature ** 2 })
}
