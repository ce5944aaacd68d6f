import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesSource } from '../../src/weights/byte-source.js'
import { assertFinite, findNonFinite } from '../../src/weights/finite.js'
import { openCheckpoint } from '../../src/weights/node/checkpoint.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import type { StoredTensor } from '../../src/weights/stored-tensor.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'
import { arbitraryTensor, dtypes } from './arbitrary-tensors.js'
import { thrownBy } from './thrown-by.js'

test('agrees with looking at every value, whatever the bytes', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTensor, async (tensor) => {
      const values = [...(await readFloats(tensor))]
      const [found] = await findNonFinite(new Map([['a', tensor]]))
      const nan = values.filter(Number.isNaN).length
      const infinite = values.filter((value) => Math.abs(value) === Number.POSITIVE_INFINITY).length
      const firstIndex = values.findIndex((value) => !Number.isFinite(value))
      expect(found).toEqual(firstIndex < 0 ? undefined : { name: 'a', nan, infinite, firstIndex })
    }),
    { numRuns: 300 },
  )
})

test.each(dtypes)('finds one bad value in a long %s tensor, at an odd address', async (dtype) => {
  const length = 5_000_001 // more than one chunk, an odd number of values
  const values = new Float32Array(length).fill(-1.5)
  values[4_999_999] = Number.NEGATIVE_INFINITY
  values[length - 1] = Number.NaN
  const [segment] = storedFrom(values, [length], dtype).segments
  const stored = await segment?.source.read(0, segment.sizeBytes)
  const shifted = new Uint8Array((stored?.byteLength ?? 0) + 1)
  shifted.set(stored ?? [], 1)
  const tensor: StoredTensor = {
    dtype,
    shape: [length],
    segments: [{ source: bytesSource(shifted), offset: 1, sizeBytes: shifted.byteLength - 1 }],
  }
  expect(await findNonFinite(new Map([['w', tensor]]))).toEqual([
    { name: 'w', nan: 1, infinite: 1, firstIndex: 4_999_999 },
  ])
})

test('the largest finite values of each dtype pass', async () => {
  const largest = { F32: 3.402_823_4e38, F16: 65_504, BF16: 3.389_531_4e38 }
  const tensors = new Map(
    dtypes.map((dtype) => [dtype, storedFrom(Float32Array.of(largest[dtype], -largest[dtype]), [2], dtype)]),
  )
  await assertFinite(tensors)
})

/** The same tensor, from a file of that name. */
function namedAs(name: string, tensor: StoredTensor): StoredTensor {
  const segments = tensor.segments.map((segment) => ({ ...segment, source: { ...segment.source, name } }))
  return { ...tensor, segments }
}

test('the error lists tensors, counts and first indices', async () => {
  const broken = storedFrom(Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY, Number.NaN), [4], 'BF16')
  const tensors = new Map([
    ['fine', storedFrom(Float32Array.of(1), [1])],
    ['broken', namedAs('step-100.safetensors', broken)],
  ])
  const error = await thrownBy(assertFinite(tensors), 'BAD_WEIGHTS')
  expect(error.message).toMatchInlineSnapshot(
    `"step-100.safetensors holds values that are not numbers in 1 of 2 tensors: broken (2 NaN, 1 infinite, first at 1). Its training diverged or the file is damaged: use an earlier checkpoint or download it again."`,
  )
})

/** Tensors one after the other in one file, as safetensors has them. */
async function inOneFile(tensors: readonly StoredTensor[]): Promise<StoredTensor[]> {
  const parts = await Promise.all(
    tensors.map(async ({ segments: [segment] }) => segment?.source.read(0, segment.sizeBytes)),
  )
  const source = bytesSource(Buffer.concat(parts.map((part) => part ?? new Uint8Array(0))))
  let offset = 0
  return tensors.map((tensor, i) => {
    const sizeBytes = parts[i]?.byteLength ?? 0
    const segments = [{ source, offset, sizeBytes }]
    offset += sizeBytes
    return { ...tensor, segments }
  })
}

test('tensors of one file are judged each by itself, whatever lies beside them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryTensor, { maxLength: 6 }), async (apart) => {
      const named = (tensors: readonly StoredTensor[]) =>
        new Map(tensors.map((tensor, i) => [`${i}`, tensor]))
      const found = await findNonFinite(named(await inOneFile(apart)))
      const alone = await Promise.all([...named(apart)].map((tensor) => findNonFinite(new Map([tensor]))))
      expect(found).toEqual(alone.flat())
    }),
    { numRuns: 300 },
  )
})

test('stops when told', async () => {
  const tensors = new Map([['a', storedFrom(Float32Array.of(1), [1])]])
  await thrownBy(findNonFinite(tensors, { signal: AbortSignal.abort() }), 'ABORTED')
})

test.skipIf(!hasSharedData)(`real weights are finite${withoutSharedData}`, async () => {
  for (const model of ['vit_tiny_patch16_224', 'deit_tiny_patch16_224']) {
    const { tensors } = await openCheckpoint(shared(`weights/${model}`))
    await assertFinite(tensors)
  }
})
