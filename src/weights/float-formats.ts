// The three float formats of weights files. Rounding is to nearest, ties to even, as IEEE 754 and torch do.

/** float16 → float32, exact. @param halves bit patterns */
export function floatsFromHalves(halves: Uint16Array, into = new Float32Array(halves.length)): Float32Array {
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length)
  const table = halfTable()
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i] as number] as number
  return into
}

/** bfloat16 → float32, exact: bfloat16 is the upper half of a float32. @param halves bit patterns */
export function floatsFromBfloats(halves: Uint16Array, into = new Float32Array(halves.length)): Float32Array {
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length)
  for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16
  return into
}

/** float32 → float16, to nearest even; beyond ±65,519 it becomes infinite. Returns bit patterns. */
export function halvesFromFloats(floats: Float32Array): Uint16Array {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
  const halves = new Uint16Array(bits.length)
  for (let i = 0; i < bits.length; i++) halves[i] = halfFromFloatBits(bits[i] as number)
  return halves
}

/** float32 → bfloat16, to nearest even. Returns bit patterns. */
export function bfloatsFromFloats(floats: Float32Array): Uint16Array {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length)
  const halves = new Uint16Array(bits.length)
  for (let i = 0; i < bits.length; i++) halves[i] = bfloatFromFloatBits(bits[i] as number)
  return halves
}

const f32Infinity = 0x7f80_0000
const f32SmallestNormalHalf = 0x3880_0000 // 2^-14
const f32RoundsToInfiniteHalf = 0x477f_f000 // 65,520: halfway between the largest half and the next power

function halfFromFloatBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fff_ffff
  // A NaN keeps its upper payload and becomes quiet, as the hardware conversion does.
  if (magnitude > f32Infinity) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff)
  if (magnitude >= f32RoundsToInfiniteHalf) return sign | 0x7c00
  if (magnitude >= f32SmallestNormalHalf) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
    return sign | ((rounded >>> 13) - (112 << 10)) // exponent bias 127 → 15
  }
  return sign | subnormalHalf(magnitude)
}

/** Below 2^-14 a half counts steps of 2^-24. */
function subnormalHalf(magnitude: number): number {
  const exponent = magnitude >>> 23
  const shift = 126 - exponent // significand · 2^(exponent − 150) in units of 2^-24
  if (shift > 24) return 0 // less than half a step
  const significand = (magnitude & 0x7f_ffff) | 0x80_0000
  const steps = significand >>> shift
  const rest = significand & ((1 << shift) - 1)
  const halfStep = 1 << (shift - 1)
  const roundsUp = rest > halfStep || (rest === halfStep && (steps & 1) === 1)
  return roundsUp ? steps + 1 : steps
}

function bfloatFromFloatBits(bits: number): number {
  const upper = bits >>> 16
  if ((bits & 0x7fff_ffff) > f32Infinity) return upper | 0x40 // quiet, so that no NaN rounds to infinity
  return (bits + 0x7fff + (upper & 1)) >>> 16
}

function floatBitsFromHalf(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 0x1f
  const mantissa = half & 0x3ff
  if (exponent === 0x1f) return sign | f32Infinity | (mantissa << 13)
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (mantissa << 13)
  if (mantissa === 0) return sign
  const leading = 31 - Math.clz32(mantissa) // value = mantissa · 2^-24 = 1.… · 2^(leading − 24)
  return sign | ((leading + 103) << 23) | ((mantissa << (23 - leading)) & 0x7f_ffff)
}

// 256 KiB, made once: a look-up converts several times faster than the branches above.
let table: Uint32Array | undefined
function halfTable(): Uint32Array {
  table ??= Uint32Array.from({ length: 65_536 }, (_, half) => floatBitsFromHalf(half))
  return table
}
