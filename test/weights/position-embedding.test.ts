import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openCheckpoint } from '../../src/weights/node/checkpoint.js'
import { type GridSize, resamplePositionEmbedding } from '../../src/weights/position-embedding.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { expectClose } from '../support/expect-close.js'

const fixture = fileURLToPath(new URL('fixtures/position-embedding.safetensors', import.meta.url))
const { tensors } = await openCheckpoint(fixture)
const width = 3

const grid = (text = ''): GridSize => {
  const [rows = 0, columns = 0] = text.split('x').map(Number)
  return [rows, columns]
}

const cases = [...tensors].flatMap(([name, input]) => {
  const output = tensors.get(name.replace(/:in$/, ':out'))
  return name.endsWith(':in') && output !== undefined ? [{ name, input, output }] : []
})

test('the fixture has cases', () => expect(cases.length).toBe(5))

test.each(cases)('torch resamples the same: $name', async ({ name, input, output }) => {
  const [prefix, from, to] = name.split(':')
  const resampled = resamplePositionEmbedding(await readFloats(input), {
    prefix: Number(prefix),
    from: grid(from),
    to: grid(to),
    width,
  })
  // torch sums in float32, we in float64
  expectClose(resampled, await readFloats(output), { atol: 1e-5 })
})

test('prefix tokens and an unchanged grid come through bit for bit', () => {
  const values = Float32Array.from({ length: (2 + 12) * width }, (_, i) => Math.sin(i))
  const same = resamplePositionEmbedding(values, { prefix: 2, from: [3, 4], to: [3, 4], width })
  expect(same).toEqual(values)
  const larger = resamplePositionEmbedding(values, { prefix: 2, from: [3, 4], to: [6, 6], width })
  expect(larger.slice(0, 2 * width)).toEqual(values.slice(0, 2 * width))
  expect(larger.length).toBe((2 + 36) * width)
})

test('a constant embedding stays constant at any size', () => {
  const values = new Float32Array(25).fill(0.75)
  const resampled = resamplePositionEmbedding(values, { prefix: 0, from: [5, 5], to: [3, 11], width: 1 })
  expectClose(resampled, new Float32Array(33).fill(0.75), { atol: 1e-6 })
})
