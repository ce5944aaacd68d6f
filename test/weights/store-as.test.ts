import { expect, test } from 'vitest'
import { readFloats } from '../../src/weights/read-floats.js'
import { storeAs } from '../../src/weights/store-as.js'
import { storedFrom } from '../../src/weights/stored-from.js'

test('rounds to float16, and widens again without a further change', async () => {
  const tensor = storedFrom(Float32Array.of(1, 1 / 3, -65_504, 1e-9), [2, 2])
  const half = await storeAs('weight', tensor, 'F16')
  expect(half).toMatchObject({ dtype: 'F16', shape: [2, 2] })
  // 1/3 as 1365/4096, the nearest of 11 bits
  expect([...(await readFloats(half))]).toEqual([1, 1365 / 4096, -65_504, 0])
  const wide = await storeAs('weight', half, 'F32')
  expect([...(await readFloats(wide))]).toEqual([...(await readFloats(half))])
})

test('leaves alone what has the type already', async () => {
  const tensor = storedFrom(Float32Array.of(1), [1], 'F16')
  expect(await storeAs('weight', tensor, 'F16')).toBe(tensor)
})

test('refuses numbers that float16 has not, and says where', async () => {
  const tensor = storedFrom(Float32Array.of(0, 70_000), [2])
  await expect(storeAs('blocks.3.mlp.fc1.weight', tensor, 'F16')).rejects.toMatchObject({
    code: 'BAD_WEIGHTS',
    message: expect.stringMatching(/^blocks\.3\.mlp\.fc1\.weight holds 70000, and float16 ends at ±65504/),
  })
})
