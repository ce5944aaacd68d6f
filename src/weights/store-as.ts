import { BlvitError } from '../base/blvit-error.js'
import { readFloats } from './read-floats.js'
import { storedFrom } from './stored-from.js'
import type { StoredDtype, StoredTensor } from './stored-tensor.js'

/** What float16 still counts as a number; 65,520 and more would become infinite. */
const largestHalf = 65_504

/**
 * A tensor in another element type, rounded to nearest, in memory; the tensor itself if it has that type already.
 * @param name of the tensor, for messages
 * @throws BlvitError `BAD_WEIGHTS` if a number is too large for it, or its source can't be read whole
 */
export async function storeAs(name: string, tensor: StoredTensor, dtype: StoredDtype): Promise<StoredTensor> {
  if (tensor.dtype === dtype) return tensor
  const floats = await readFloats(tensor)
  const tooLarge = dtype === 'F16' ? floats.find((value) => Math.abs(value) > largestHalf) : undefined
  if (tooLarge !== undefined) {
    throw new BlvitError(
      'BAD_WEIGHTS',
      `${name} holds ${tooLarge}, and float16 ends at ±${largestHalf}: these weights need float32.`,
      { name, value: tooLarge },
    )
  }
  return storedFrom(floats, tensor.shape, dtype)
}
