import { BlvitError } from '../base/blvit-error.js'
import type { Precision } from '../graph/lowering.js'
import type { TensorData } from '../runtime/runtime.js'

/**
 * Makes sure that every value of every picture is a number: nobody asks again afterwards.
 * @throws BlvitError `ENGINE`
 */
export function checkFinite({ dtype, values }: TensorData, { precision }: { precision: Precision }): void {
  if (dtype === 'int64') return
  // all of them: one picture may overflow and its neighbours in the batch not
  for (const value of values) {
    if (Number.isFinite(value)) continue
    throw new BlvitError(
      'ENGINE',
      precision === 'fp16'
        ? 'The model answered with values that are not numbers: float16 ends at 65,504. Use --dtype fp32.'
        : 'The model answered with values that are not numbers: its weights overflow.',
    )
  }
}
