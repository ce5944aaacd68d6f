import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lookUpChannel } from '../../src/image/pixel-kernel.js'
import { resamplingWeights } from '../../src/image/resampling-weights.js'
import { resize } from '../../src/image/resize.js'
import { runAtOnce } from '../../src/image/steps.js'

/** Pillow's two passes in plain numbers, one after the other. */
function slowly(
  values: Uint8Array,
  from: { width: number; height: number },
  to: { width: number; height: number },
) {
  const filter = 'bicubic' as const
  const pass = (
    source: Uint8Array,
    { lines, pixels, out }: { lines: number; pixels: number; out: number },
    at: (line: number, pixel: number, length: number) => number,
  ) => {
    if (pixels === out) return source
    const { starts, counts, weights, stride } = runAtOnce(
      resamplingWeights({ from: pixels, to: out, first: 0, count: out }, { filter }),
    )
    const result = new Uint8ClampedArray(lines * out * 3)
    for (let line = 0; line < lines; line++)
      for (let pixel = 0; pixel < out; pixel++)
        for (let channel = 0; channel < 3; channel++) {
          let sum = 2 ** 21
          for (let tap = 0; tap < (counts[pixel] ?? 0); tap++)
            sum +=
              (weights[pixel * stride + tap] ?? 0) *
              (source[3 * at(line, (starts[pixel] ?? 0) + tap, pixels) + channel] ?? 0)
          result[3 * at(line, pixel, out) + channel] = Math.floor(sum / 2 ** 22)
        }
    return new Uint8Array(result)
  }
  const narrowed = pass(
    values,
    { lines: from.height, pixels: from.width, out: to.width },
    (line, pixel, length) => line * length + pixel,
  )
  return pass(
    narrowed,
    { lines: to.width, pixels: from.height, out: to.height },
    (line, pixel) => pixel * to.width + line,
  )
}

const size = fc.record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }) })

test('four numbers at once give what one after the other gives, at any size, larger or smaller', () => {
  fc.assert(
    fc.property(size, size, fc.integer(), (from, to, seed) => {
      let state = seed >>> 0
      const values = Uint8Array.from({ length: from.width * from.height * 3 }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        // black and white beside each other overshoot, and are clipped
        return state % 3 === 0 ? 255 : state % 3 === 1 ? 0 : state >>> 24
      })
      const found = resize({ ...from, values }, { ...to, filter: 'bicubic' })
      expect([...found.values]).toEqual([...slowly(values, from, to)])
    }),
    { numRuns: 60 },
  )
})

test('looks up each third byte, none too many', () => {
  const table = Float32Array.from({ length: 256 }, (_, value) => value / 7)
  const source = Uint8Array.of(1, 99, 99, 255, 99, 99, 0)
  expect([...lookUpChannel3(source, table)]).toEqual([1, 255, 0].map((value) => Math.fround(value / 7)))
  lookUpChannel(new Uint8Array(0), table, new Float32Array(0))

  function lookUpChannel3(bytes: Uint8Array, values: Float32Array) {
    const target = new Float32Array(3)
    lookUpChannel(bytes, values, target)
    return target
  }
})

test('what is committed was made of the source beside it', () => {
  const path = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url))
  const committed = readFileSync(path('src/image/pixel-kernel-wasm.ts'), 'utf8')
  const made = execFileSync(process.execPath, [path('scripts/generate-pixel-kernel.mjs'), '-'], {
    encoding: 'utf8',
  })
  expect(made).toBe(committed)
})
