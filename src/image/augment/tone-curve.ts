import type { Pixels } from '../pixels.js'

/** What becomes of each of the 256 values; numbers outside 0 … 255 become the nearer end, fractions are cut off. */
export type ToneCurve = (value: number) => number

/** The same curve for red, green and blue. */
export function withToneCurve(pixels: Pixels, curve: ToneCurve): Pixels {
  const table = tableOf(curve)
  return withTables(pixels, [table, table, table])
}

/** A curve for each channel. */
export function withToneCurves(pixels: Pixels, curveOf: (channel: 0 | 1 | 2) => ToneCurve): Pixels {
  return withTables(pixels, [tableOf(curveOf(0)), tableOf(curveOf(1)), tableOf(curveOf(2))])
}

type Tables = readonly [red: Uint8Array, green: Uint8Array, blue: Uint8Array]

function withTables({ width, height, values }: Pixels, [red, green, blue]: Tables): Pixels {
  const mapped = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i += 3) {
    mapped[i] = red[values[i] as number] as number
    mapped[i + 1] = green[values[i + 1] as number] as number
    mapped[i + 2] = blue[values[i + 2] as number] as number
  }
  return { width, height, values: mapped }
}

function tableOf(curve: ToneCurve): Uint8Array {
  const table = new Uint8Array(256)
  for (let value = 0; value < 256; value++) table[value] = toByte(curve(value))
  return table
}

/** C's cast to a byte after clipping, as Pillow does it: towards zero, where `Uint8ClampedArray` would round. */
export function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value)
}
