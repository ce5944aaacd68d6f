import fc from 'fast-check'
import { storedFrom } from '../../src/weights/stored-from.js'
import { elementBytes, type StoredDtype, type StoredTensor } from '../../src/weights/stored-tensor.js'

export const dtypes: readonly StoredDtype[] = ['F32', 'F16', 'BF16']

/** A tensor of any bytes, of rank 0 to 4, sometimes empty. */
export const arbitraryTensor: fc.Arbitrary<StoredTensor> = fc
  .tuple(fc.array(fc.nat(4), { maxLength: 4 }), fc.constantFrom(...dtypes))
  .chain(([shape, dtype]) => {
    const length = shape.reduce((a, b) => a * b, 1) * elementBytes[dtype]
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes) => storedFrom(bytes, shape, dtype))
  })

/** Tensors under names that include the awkward ones. */
export const arbitraryTensors: fc.Arbitrary<[string, StoredTensor][]> = fc.uniqueArray(
  fc.tuple(
    fc.oneof(fc.string(), fc.constantFrom('__proto__', '0', 'a"b', 'größe', 'toString')),
    arbitraryTensor,
  ),
  { selector: ([name]) => name, maxLength: 8 },
)
