import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import { symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { zeros } from '../../src/graph/initialiser.js'
import { cutRanges } from '../../src/graph/onnx/parameter-storage.js'
import { buffer, input, linear, multiply, parameter, slice, subtract } from '../../src/graph/ops/index.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import type { Runtime } from '../../src/runtime/runtime.js'
import { webRuntime } from '../../src/runtime/web.js'
import { bytesSource } from '../../src/weights/byte-source.js'
import { openFileSource } from '../../src/weights/node/file-source.js'
import { encodeSafetensors } from '../../src/weights/safetensors/encode.js'
import { readSafetensors } from '../../src/weights/safetensors/read.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { type ByteSource, elementBytes, type StoredTensor } from '../../src/weights/stored-tensor.js'

const width = 6
const outWidth = 4

/** Two linear maps whose weights lie packed in one parameter, and the packed one whole. */
const graph = (() => {
  const weight = parameter('weight', [2 * outWidth, width], zeros)
  const bias = parameter('bias', [2 * outWidth], zeros)
  const x = input('x', [symbol('batch'), width])
  const half = (index: number) => {
    const rows = { axis: 0, start: index * outWidth, end: (index + 1) * outWidth }
    return linear(x, slice(weight, rows), slice(bias, rows))
  }
  return graphOf('packed', { first: half(0), second: half(1), both: linear(x, weight, bias) })
})()

async function outputsOf(runtime: Runtime, weight: StoredTensor, bias: StoredTensor, values: Float32Array) {
  const weights = new Map([
    ['weight', weight],
    ['bias', bias],
  ])
  await using session = await runtime.load(graph, weights, { threads: 1 })
  const outputs = await session.run({
    x: { dtype: 'float32', shape: [values.length / width, width], values },
  })
  return Object.fromEntries(
    Object.entries(outputs).map(([name, data]) => [name, Array.from(data.values, Number)]),
  )
}

/** Where the pieces of a tensor lie: each in memory of its own, or one after the other in a file. */
const keepers = {
  memory: async (pieces: readonly Uint8Array[]) =>
    pieces.map((bytes) => ({ source: bytesSource(bytes), offset: 0, sizeBytes: bytes.length })),
  file: async (pieces: readonly Uint8Array[], path: string) => {
    // something else before and between the pieces, as in a file of many tensors
    const gap = new Uint8Array(8).fill(0xff)
    await writeFile(path, Buffer.concat(pieces.flatMap((bytes) => [gap, bytes])))
    const source: ByteSource = await openFileSource(path)
    let end = 0
    return pieces.map(({ length }) => {
      const offset = end + gap.length
      end = offset + length
      return { source, offset, sizeBytes: length }
    })
  },
} as const

const setting = fc.record({
  dtype: fc.constantFrom('F32', 'F16', 'BF16'),
  keeper: fc.constantFrom('memory', 'file'),
  cuts: fc.uniqueArray(fc.integer({ min: 1, max: 2 * outWidth - 1 }), { maxLength: 4 }),
  batch: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(),
} as const)

describe('a parameter in several pieces computes the same bits as in one', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blvit-storage-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test.each([
    ['native', nativeRuntime, 40],
    ['WebAssembly', webRuntime, 10],
  ] as const)('%s: in memory or in a file, in single and half precision', async (_, runtimeOf, numRuns) => {
    const runtime = await runtimeOf()
    let files = 0
    const property = fc.asyncProperty(setting, async ({ dtype, keeper, cuts, batch, seed }) => {
      const random = seededRandom(seed)
      const draw = (count: number) => Float32Array.from({ length: count }, () => 2 * random() - 1)
      const weight = storedFrom(draw(2 * outWidth * width), [2 * outWidth, width], dtype)
      const bias = storedFrom(draw(2 * outWidth), [2 * outWidth], dtype)
      const [whole] = weight.segments
      if (!whole) throw new Error('no segment')
      const bytes = await whole.source.read(0, whole.sizeBytes)
      const borders = [0, ...cuts.toSorted((a, b) => a - b), 2 * outWidth]
      const rowBytes = width * elementBytes[dtype]
      const pieces = borders
        .slice(1)
        .map((end, i) => bytes.slice((borders[i] ?? 0) * rowBytes, end * rowBytes))
      files += 1
      const segments = await keepers[keeper](pieces, join(folder, `${runtime.device}-${files}.bin`))
      const values = draw(batch * width)
      const expected = await outputsOf(runtime, weight, bias, values)
      expect(await outputsOf(runtime, { ...weight, segments }, bias, values)).toEqual(expected)
      expect(expected.both?.length).toBe(batch * 2 * outWidth)
    })
    await fc.assert(property, { numRuns })
  })

  test.each([
    ['native', nativeRuntime],
    ['WebAssembly', webRuntime],
  ] as const)(
    '%s: a single number and a buffer come from a safetensors file as all else',
    async (_, runtimeOf) => {
      const runtime = await runtimeOf()
      const x = input('x', [symbol('batch'), 3])
      const scaled = multiply(x, parameter('scale', [], zeros))
      const shifted = graphOf('shifted', { y: subtract(scaled, buffer('mean', [3], zeros)) })
      for (const dtype of ['F32', 'F16', 'BF16'] as const) {
        const path = join(folder, `${runtime.device}-${dtype}.safetensors`)
        const tensors = [
          ['scale', storedFrom(Float32Array.of(0.5), [])],
          ['mean', storedFrom(Float32Array.of(1, 2, -3), [3])],
        ] as const
        const { chunks } = encodeSafetensors(tensors, { dtype })
        await writeFile(path, chunks())
        const { tensors: read } = await readSafetensors(await openFileSource(path))
        expect(read.get('scale')?.shape).toEqual([])
        await using session = await runtime.load(shifted, read, { threads: 1 })
        const values = Float32Array.of(2, 4, 6, 8, 10, 12)
        const { y } = await session.run({ x: { dtype: 'float32', shape: [2, 3], values } })
        expect(Array.from(y?.values ?? [], Number)).toEqual([0, 0, 6, 3, 3, 9])
      }
    },
  )
})

test('cutting ranges anywhere gives the bytes between the cuts', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 5 })
  fc.assert(
    fc.property(pieces, fc.nat(30), fc.nat(30), (parts, a, b) => {
      const all = Buffer.concat(parts)
      const [start, end] = [Math.min(a, b, all.length), Math.min(Math.max(a, b), all.length)]
      const ranges = parts.map((bytes) => ({ sizeBytes: bytes.length, bytes }))
      const cut = cutRanges(ranges, start, end)
      const got = Buffer.concat(cut.map((range) => ('bytes' in range ? range.bytes : new Uint8Array())))
      expect([...got]).toEqual([...all.subarray(start, end)])
      expect(cut.every(({ sizeBytes }) => sizeBytes > 0)).toBe(true)
    }),
  )
})
