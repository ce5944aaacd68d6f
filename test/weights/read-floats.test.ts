import { expect, test } from 'vitest'
import { bytesSource } from '../../src/weights/byte-source.js'
import { readBytes, readFloats } from '../../src/weights/read-floats.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import type { StoredTensor } from '../../src/weights/stored-tensor.js'
import { dtypes } from './arbitrary-tensors.js'

const values = Float32Array.of(1, -2, 0.5)

test.each(dtypes)('a %s tensor reads from any address, of an array or a Node Buffer', async (dtype) => {
  const bytes = await readBytes(storedFrom(values, [3], dtype))
  const shifted = new Uint8Array(bytes.byteLength + 1)
  shifted.set(bytes, 1)
  for (const container of [shifted, Buffer.from(shifted.buffer)]) {
    const segments = [{ source: bytesSource(container), offset: 1, sizeBytes: bytes.byteLength }]
    const tensor: StoredTensor = { dtype, shape: [3], segments }
    expect(await readFloats(tensor)).toEqual(values)
  }
})

test('what is read may be changed without touching the source', async () => {
  const tensor = storedFrom(values, [3])
  ;(await readFloats(tensor)).fill(9)
  ;(await readBytes(tensor)).fill(9)
  expect(await readFloats(tensor)).toEqual(Float32Array.of(1, -2, 0.5))
})
