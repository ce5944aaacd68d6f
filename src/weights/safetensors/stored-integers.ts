import type { Segment } from '../stored-tensor.js'

/** Integer element types of safetensors. Models of this project compute with none of them. */
export type IntegerDtype = 'BOOL' | 'U8' | 'I8' | 'U16' | 'I16' | 'U32' | 'I32' | 'U64' | 'I64'

/**
 * A tensor of integers or truth values in a weights file: position ids, batch counters, masks.
 * Kept apart from the parameters, so that a file that carries some still loads.
 */
export interface StoredIntegers {
  readonly dtype: IntegerDtype
  readonly shape: readonly number[]
  readonly segments: readonly Segment[]
}

/** Bytes of an element. */
export const integerSizes: Readonly<Record<IntegerDtype, number>> = {
  ...{ BOOL: 1, U8: 1, I8: 1 },
  ...{ U16: 2, I16: 2 },
  ...{ U32: 4, I32: 4 },
  ...{ U64: 8, I64: 8 },
}
