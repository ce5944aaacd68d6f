import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blobSource, bytesSource } from '../../../src/weights/byte-source.js'
import { readBytes, readFloats } from '../../../src/weights/read-floats.js'
import { encodeSafetensors } from '../../../src/weights/safetensors/encode.js'
import { readSafetensors } from '../../../src/weights/safetensors/read.js'
import { storedFrom } from '../../../src/weights/stored-from.js'
import type { ByteSource } from '../../../src/weights/stored-tensor.js'
import { readIntegers } from '../../support/read-integers.js'
import { arbitraryTensors } from '../arbitrary-tensors.js'
import { fileOf } from '../safetensors-bytes.js'
import { thrownBy } from '../thrown-by.js'

const one = (fields: object = {}) => ({
  a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24], ...fields },
})

test('tensors, integers and metadata are told apart', async () => {
  const header = {
    __metadata__: { format: 'pt' },
    a: { dtype: 'F16', shape: [2], data_offsets: [0, 4] },
    'bn.num_batches_tracked': { dtype: 'I64', shape: [], data_offsets: [4, 12] },
  }
  const data = Uint8Array.of(0x00, 0x3c, 0x00, 0xc0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
  const { tensors, integers, metadata } = await readSafetensors(bytesSource(fileOf(header, data)))
  expect(metadata).toEqual({ format: 'pt' })
  expect([...tensors.keys()]).toEqual(['a'])
  const [a] = tensors.values()
  const [counter] = integers.values()
  expect(a && [...(await readFloats(a))]).toEqual([1, -2])
  expect(counter && (await readIntegers(counter))).toEqual([-2])
})

test('a scalar, an empty tensor and an empty file are sound', async () => {
  const header = {
    scalar: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
    empty: { dtype: 'F32', shape: [0, 7], data_offsets: [4, 4] },
  }
  const { tensors } = await readSafetensors(bytesSource(fileOf(header, 4)))
  expect([...tensors.values()].map(({ shape }) => shape)).toEqual([[], [0, 7]])
  expect((await readSafetensors(bytesSource(fileOf({})))).tensors.size).toBe(0)
})

test('texts of metadata may be long', async () => {
  const text = '\\'.repeat(5_000_000)
  const { metadata } = await readSafetensors(bytesSource(fileOf({ __metadata__: { text } })))
  expect(metadata.text).toBe(text)
})

test('opening reads the header and nothing else', async () => {
  const inner = bytesSource(fileOf(one(), 24))
  const reads: [number, number][] = []
  const watched: ByteSource = {
    ...inner,
    read: (offset, size) => {
      reads.push([offset, size])
      return inner.read(offset, size)
    },
  }
  await readSafetensors(watched)
  expect(reads).toEqual([
    [0, 8],
    [8, inner.sizeBytes - 8 - 24],
  ])
})

const lengthOnly = (length: bigint) => {
  const bytes = new Uint8Array(64)
  new DataView(bytes.buffer).setBigUint64(0, length, true)
  return bytes
}

const malformed: readonly (readonly [what: string, file: Uint8Array, says: RegExp])[] = [
  ['an empty file', new Uint8Array(0), /has 0 bytes/],
  ['a file shorter than its length field', new Uint8Array(7), /has 7 bytes/],
  ['a header longer than the file', lengthOnly(57n), /header would have 57 bytes/],
  ['a header over the limit', lengthOnly(100_000_001n), /at most 100000000/],
  ['a header length near 2^64', lengthOnly(0xffff_ffff_ffff_ffffn), /at most 100000000/],
  ['a header of length 0', lengthOnly(0n), /not a JSON object/],
  ['a header that is not JSON', fileOf('{"a": nonsense}'), /is not JSON/],
  ['a header that is a list', fileOf('[]'), /not a JSON object/],
  ['a header that is not UTF-8', fileOf('{}').fill(0xff, 9), /not UTF-8/],
  [
    'a dtype of endless nesting',
    fileOf(`{"a": {"dtype": ${'['.repeat(9_999)}${']'.repeat(9_999)}}}`),
    /nests 10001 levels/,
  ],
  ['a tensor that is a number', fileOf({ a: 3 }), /tensor "a" is not declared by an object/],
  ['metadata that is not text', fileOf({ __metadata__: { epoch: 3 } }), /__metadata__/],
  [
    'an unknown dtype',
    fileOf(one({ dtype: 'F8_E4M3' }), 24),
    /tensor "a" has dtype "F8_E4M3".*F32, F16, BF16/,
  ],
  ['double precision', fileOf(one({ dtype: 'F64' }), 24), /tensor "a" has dtype "F64"/],
  ['a missing dtype', fileOf(one({ dtype: undefined }), 24), /has dtype undefined/],
  ['a dtype named like an object member', fileOf(one({ dtype: 'toString' }), 24), /has dtype "toString"/],
  ['a negative size', fileOf(one({ shape: [-2, -3] }), 24), /shape \[-2,-3\]/],
  ['a fractional size', fileOf(one({ shape: [1.5, 4] }), 24), /shape/],
  ['a size beyond exact numbers', fileOf(one({ shape: [2 ** 60] }), 24), /shape/],
  ['sizes as text', fileOf(one({ shape: ['2', '3'] }), 24), /shape/],
  ['a missing shape', fileOf(one({ shape: undefined }), 24), /shape/],
  ['a product that overflows', fileOf(one({ shape: [2 ** 40, 2 ** 40] }), 24), /too large/],
  [
    'an overflow hidden by a zero',
    fileOf(one({ shape: [2 ** 40, 2 ** 40, 0], data_offsets: [0, 0] }), 0),
    /too large/,
  ],
  ['three offsets', fileOf(one({ data_offsets: [0, 12, 24] }), 24), /data_offsets/],
  ['negative offsets', fileOf(one({ data_offsets: [-24, 0] }), 24), /data_offsets/],
  ['missing offsets', fileOf(one({ data_offsets: undefined }), 24), /data_offsets/],
  ['reversed offsets', fileOf(one({ data_offsets: [24, 0] }), 24), /takes 24 bytes/],
  [
    'a length that is not the shape',
    fileOf(one({ data_offsets: [0, 20] }), 20),
    /takes 24 bytes, but.*span 20/,
  ],
  ['a length that is not the dtype', fileOf(one({ dtype: 'F16' }), 24), /takes 12 bytes/],
  ['data that is cut', fileOf(one(), 23), /is cut: tensor "a" ends at byte 24/],
  ['bytes after the last tensor', fileOf(one(), 25), /1 bytes after its last tensor/],
  ['a hole before the first tensor', fileOf(one({ data_offsets: [4, 28] }), 28), /bytes 0…4 unused/],
  [
    'a hole between tensors',
    fileOf({ ...one(), b: { dtype: 'F32', shape: [1], data_offsets: [28, 32] } }, 32),
    /"b" begins at 28 and leaves bytes 24…28 unused/,
  ],
  [
    'tensors that overlap',
    fileOf({ ...one(), b: { dtype: 'F32', shape: [2], data_offsets: [20, 28] } }, 28),
    /"b" begins at 20 and overlaps/,
  ],
  ['two tensors on the same bytes', fileOf({ ...one(), b: one().a }, 24), /overlaps/],
  [
    'a name that comes twice',
    fileOf(
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}, "\\u0061" : {"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
    ),
    /declares "a" twice/,
  ],
]

test.each(malformed)('%s is refused', async (_, file, says) => {
  const error = await thrownBy(readSafetensors(bytesSource(file, { name: 'bad.safetensors' })), 'BAD_WEIGHTS')
  expect(error.message).toMatch(says)
  expect(error.message).toContain('bad.safetensors')
})

test('no cut of a sound file is taken for a sound one', async () => {
  const whole = fileOf(one(), 24)
  for (let size = 0; size < whole.byteLength; size++) {
    await thrownBy(readSafetensors(bytesSource(whole.subarray(0, size))), 'BAD_WEIGHTS')
  }
})

test('a sound file with any byte of its header changed gives an error or sound tensors, never anything else', async () => {
  const whole = fileOf(one(), 24)
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.byteLength - 25), fc.nat(255), async (at, value) => {
      const changed = whole.slice()
      changed[at] = value
      const read = await readSafetensors(bytesSource(changed)).catch((error: unknown) => error)
      if (read instanceof Error) expect(read).toMatchObject({ name: 'BlvitError', code: 'BAD_WEIGHTS' })
    }),
    { numRuns: 500 },
  )
})

test('whatever is encoded reads back: names, shapes, dtypes, bytes, metadata', async () => {
  const texts = fc.dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    fc.string(),
  )
  await fc.assert(
    fc.asyncProperty(arbitraryTensors, texts, async (tensors, metadata) => {
      const { chunks, sizeBytes } = encodeSafetensors(tensors, { metadata })
      const parts: Uint8Array<ArrayBuffer>[] = []
      for await (const chunk of chunks()) parts.push(new Uint8Array(chunk))
      const file = new Blob(parts)
      expect(file.size).toBe(sizeBytes)
      const read = await readSafetensors(blobSource(file))
      expect({ ...read.metadata }).toEqual({ ...metadata })
      expect(new Set(read.tensors.keys())).toEqual(new Set(tensors.map(([name]) => name)))
      for (const [name, tensor] of tensors) {
        const back = read.tensors.get(name)
        expect(back && { shape: back.shape, dtype: back.dtype, bytes: await readBytes(back) }).toEqual({
          shape: tensor.shape,
          dtype: tensor.dtype,
          bytes: await readBytes(tensor),
        })
        // so that an engine may map it
        expect((back?.segments[0]?.offset ?? 0) % (tensor.dtype === 'F32' ? 4 : 2)).toBe(0)
      }
    }),
    { numRuns: 200 },
  )
})

test('a repeated or reserved name is not encoded', () => {
  const tensor = storedFrom(Float32Array.of(1), [1])
  expect(() =>
    encodeSafetensors([
      ['a', tensor],
      ['a', tensor],
    ]),
  ).toThrow(/"a" is given twice/)
  expect(() => encodeSafetensors([['__metadata__', tensor]])).toThrow(/reserved/)
})
