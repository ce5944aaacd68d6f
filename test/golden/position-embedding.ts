import type { GridSize } from '../../src/weights/position-embedding.js'

export interface ResizedPositions {
  /** Rows before the patches, which stay as they are. */
  readonly prefix: number
  readonly from: GridSize
  readonly to: GridSize
  readonly width: number
}

/** Keys' cubic with a = −0.75, as torch has it without antialias. */
function cubic(distance: number): number {
  const a = -0.75
  const x = Math.abs(distance)
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
}

/** The four taps of an output place; those outside take the border's entry. */
function tapsAt(i: number, from: number, to: number): readonly (readonly [index: number, weight: number])[] {
  const source = ((i + 0.5) * from) / to - 0.5
  const first = Math.floor(source) - 1
  return [0, 1, 2, 3].map((tap) => {
    const index = first + tap
    return [Math.min(Math.max(index, 0), from - 1), cubic(source - index)]
  })
}

/**
 * A position embedding for another grid as DeiT's and EViT's own code makes it on the fly: bicubic, never antialiased.
 * @param values `[prefix + from rows · from columns, width]`
 */
export function resizedPositions(
  values: Float32Array,
  { prefix, from: [fromRows, fromColumns], to: [rows, columns], width }: ResizedPositions,
): Float32Array {
  const resized = new Float32Array((prefix + rows * columns) * width)
  resized.set(values.subarray(0, prefix * width))
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const target = (prefix + row * columns + column) * width
      for (const [y, down] of tapsAt(row, fromRows, rows)) {
        for (const [x, across] of tapsAt(column, fromColumns, columns)) {
          const origin = (prefix + y * fromColumns + x) * width
          for (let c = 0; c < width; c++) {
            resized[target + c] = (resized[target + c] ?? 0) + down * across * (values[origin + c] ?? 0)
          }
        }
      }
    }
  }
  return resized
}
