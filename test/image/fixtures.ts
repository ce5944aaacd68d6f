import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import type { Pixels } from '../../src/image/pixels.js'

/** A path inside `test/fixtures/images`; `make_fixtures.py` there says how the files were made. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/images/${name}`, import.meta.url))
}

export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T
}

/** Pillow's bytes, as the fixtures store them. */
export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}

/** Any small picture. */
export const anyPixels = fc
  .record({ width: fc.integer({ min: 1, max: 40 }), height: fc.integer({ min: 1, max: 40 }) })
  .chain(({ width, height }) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((values): Pixels => ({ width, height, values })),
  )

export function constantPixels(width: number, height: number, colour: readonly number[]): Pixels {
  const values = Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3] ?? 0)
  return { width, height, values }
}

/** `[height, width, 3]` to `[width, height, 3]`. */
export function transpose({ width, height, values }: Pixels): Pixels {
  const turned = new Uint8Array(values.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      turned.set(values.subarray((y * width + x) * 3, (y * width + x) * 3 + 3), (x * height + y) * 3)
    }
  }
  return { width: height, height: width, values: turned }
}
