import fc from 'fast-check'
import type { PictureMask } from '../../src/image/picture-mask.js'

/** Masks of up to 12 × 12 pixels, empty and full ones among them. */
export const someMask: fc.Arbitrary<PictureMask> = fc
  .tuple(
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 12 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .chain(([height, width, share]) =>
    fc
      .array(fc.double({ min: 0, max: 1, noNaN: true }), {
        minLength: height * width,
        maxLength: height * width,
      })
      .map((draws) => ({ height, width, values: Uint8Array.from(draws, (draw) => Number(draw < share)) })),
  )

/** A mask drawn with letters: `#` is meant. */
export function drawn(...rows: readonly string[]): PictureMask {
  const values = Uint8Array.from(rows.join(''), (letter) => Number(letter === '#'))
  return { height: rows.length, width: rows[0]?.length ?? 0, values }
}

/** The letters of a mask. */
export function letters({ height, width, values }: PictureMask): string[] {
  return Array.from({ length: height }, (_, row) =>
    Array.from(values.subarray(row * width, (row + 1) * width), (value) => (value === 0 ? '.' : '#')).join(
      '',
    ),
  )
}
