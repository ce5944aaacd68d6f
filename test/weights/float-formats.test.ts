import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bfloatsFromFloats,
  floatsFromBfloats,
  floatsFromHalves,
  halvesFromFloats,
} from '../../src/weights/float-formats.js'

const every16Bits = Uint16Array.from({ length: 65_536 }, (_, bits) => bits)

/** IEEE 754 binary16 written from its definition, independent of the bit tricks under test. */
function halfByDefinition(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = (bits & 1023) / 1024
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15)
}

const finiteHalves = [...every16Bits]
  .map((bits) => ({ bits, value: halfByDefinition(bits) }))
  .filter(({ value, bits }) => Number.isFinite(value) && bits !== 0x8000)
  .sort((a, b) => a.value - b.value)

/** Nearest half by search, ties to the even bit pattern; 65,520 and up are infinite. */
function nearestHalf(value: number): number {
  if (Math.abs(value) >= 65_520) return value > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  let low = 0
  let high = finiteHalves.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((finiteHalves[middle]?.value ?? 0) <= value) low = middle
    else high = middle
  }
  const below = finiteHalves[low] ?? { bits: 0, value: 0 }
  const above = finiteHalves[high] ?? { bits: 0, value: 0 }
  const side = value - below.value - (above.value - value)
  if (side !== 0) return side < 0 ? below.value : above.value
  return below.bits % 2 === 0 ? below.value : above.value
}

test('all 65,536 halves widen to the value that IEEE 754 defines, zero signs included', () => {
  const floats = floatsFromHalves(every16Bits)
  expect(every16Bits.every((bits) => Object.is(floats[bits], halfByDefinition(bits)))).toBe(true)
})

test('every 16-bit value survives widening and narrowing; NaN stays NaN', () => {
  const halves = halvesFromFloats(floatsFromHalves(every16Bits))
  const bfloats = bfloatsFromFloats(floatsFromBfloats(every16Bits))
  const isNaNHalf = (bits: number) => (bits & 0x7fff) > 0x7c00
  const isNaNBfloat = (bits: number) => (bits & 0x7fff) > 0x7f80
  for (const bits of every16Bits) {
    const half = halves[bits] ?? -1
    const bfloat = bfloats[bits] ?? -1
    if (isNaNHalf(bits) ? !isNaNHalf(half) : half !== bits) expect.fail(`half ${bits} became ${half}`)
    if (isNaNBfloat(bits) ? !isNaNBfloat(bfloat) : bfloat !== bits)
      expect.fail(`bfloat ${bits} became ${bfloat}`)
  }
})

const anyFloat = fc.oneof(
  fc.float({ noNaN: true }),
  fc.float({ min: -70_000, max: 70_000, noNaN: true }),
  fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4), noNaN: true }),
  // exact ties between two halves, the hard case of rounding
  fc
    .integer({ min: 0, max: 0x7bfe })
    .map((bits) => (halfByDefinition(bits) + halfByDefinition(bits + 1)) / 2),
)

test('narrowing to half picks the nearest, ties to even', () => {
  fc.assert(
    fc.property(anyFloat, (value) => {
      const [half] = floatsFromHalves(halvesFromFloats(Float32Array.of(value)))
      expect(half === 0 ? 0 : half).toBe(nearestHalf(Math.fround(value)))
    }),
    { numRuns: 2_000 },
  )
})

test('narrowing to bfloat16 picks the nearest, ties to even', () => {
  expect([
    ...bfloatsFromFloats(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20)),
  ]).toEqual([0x3f80, 0x3f82, 0x3f81])
  expect([...bfloatsFromFloats(Float32Array.of(3.4e38, -0, Number.NEGATIVE_INFINITY))]).toEqual([
    0x7f80, 0x8000, 0xff80,
  ])
  fc.assert(
    fc.property(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-3e38), max: Math.fround(3e38) }),
      (value) => {
        const [rounded = 0] = bfloatsFromFloats(Float32Array.of(value))
        const [down = 0, here = 0, up = 0] = floatsFromBfloats(
          Uint16Array.of(rounded - 1, rounded, rounded + 1),
        )
        const error = Math.abs(here - value)
        if ((rounded & 0x7fff) > 0) expect(error).toBeLessThanOrEqual(Math.abs(down - value))
        expect(error).toBeLessThanOrEqual(Math.abs(up - value))
      },
    ),
  )
})
