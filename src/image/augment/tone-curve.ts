import type { Pixels } from '../pixels.js'

/** What becomes of each of the 256 values; numbers outside 0 … 255 become the nearer end, fractions are cut off. */
export type ToneCurve = (value: number) => number

/** The same curve for red, green and blue, or one for each. */
export function withToneCurves(
  { width, height, values }: Pixels,
  curveOf: (channel: 0 | 1 | 2) => ToneCurve,
): Pixels {
  const [red, green, blue] = ([0, 1, 2] as const).map((channel) => tableOf(curveOf(channel))) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const mapped = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i += 3) {
    mapped[i] = red[values[i] as number] as number
    mapped[i + 1] = green[values[i + 1] as number] as number
    mapped[i + 2] = blue[values[i + 2] as number] as number
  }
  return { width, height, values: mapped }
}

function tableOf(curve: ToneCurve): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, value) => toByte(curve(value)))
}

/** C's cast to a byte after clipping, as Pillow does it: towards zero, where `Uint8ClampedArray` would round. */
export function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value)
}
