const first = 0x239b_961b
const second = 0xab0e_9789
const third = 0x38b3_4ae5
const fourth = 0xa1e3_8b93

function rotated(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by))
}

/** Lets every bit of a word reach every other. */
function avalanched(x: number): number {
  let h = x
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35)
  return h ^ (h >>> 16)
}

/** Four words, 128 bits: two inputs that differ practically never have the same. */
export type Hash = readonly [number, number, number, number]

/**
 * MurmurHash3's 128 bits for 32-bit machines (Austin Appleby, public domain): the same on every machine, at once and
 * without Node's crypto. Not for secrets, nor for what somebody could gain by forging.
 */
export function hashOf(bytes: Uint8Array, seed = 0): Hash {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const whole = bytes.length - (bytes.length % 16)
  let [a, b, c, d] = [seed, seed, seed, seed]
  for (let at = 0; at < whole; at += 16) {
    a ^= Math.imul(rotated(Math.imul(view.getUint32(at, true), first), 15), second)
    a = Math.imul(rotated(a, 19) + b, 5) + 0x561c_cd1b
    b ^= Math.imul(rotated(Math.imul(view.getUint32(at + 4, true), second), 16), third)
    b = Math.imul(rotated(b, 17) + c, 5) + 0x0bca_a747
    c ^= Math.imul(rotated(Math.imul(view.getUint32(at + 8, true), third), 17), fourth)
    c = Math.imul(rotated(c, 15) + d, 5) + 0x96cd_1c35
    d ^= Math.imul(rotated(Math.imul(view.getUint32(at + 12, true), fourth), 18), first)
    d = Math.imul(rotated(d, 13) + a, 5) + 0x32ac_3b17
  }
  // what is left of the last 16 bytes, filled up with zeros, which change nothing
  const tail = new DataView(new ArrayBuffer(16))
  for (let at = whole; at < bytes.length; at++) tail.setUint8(at - whole, view.getUint8(at))
  a ^= Math.imul(rotated(Math.imul(tail.getUint32(0, true), first), 15), second) ^ bytes.length
  b ^= Math.imul(rotated(Math.imul(tail.getUint32(4, true), second), 16), third) ^ bytes.length
  c ^= Math.imul(rotated(Math.imul(tail.getUint32(8, true), third), 17), fourth) ^ bytes.length
  d ^= Math.imul(rotated(Math.imul(tail.getUint32(12, true), fourth), 18), first) ^ bytes.length
  return finished(a, b, c, d)
}

function finished(a: number, b: number, c: number, d: number): Hash {
  const sum = a + b + c + d
  const [w, x, y, z] = [avalanched(sum), avalanched(b + sum), avalanched(c + sum), avalanched(d + sum)]
  const all = w + x + y + z
  return [all >>> 0, (x + all) >>> 0, (y + all) >>> 0, (z + all) >>> 0]
}

/** @see hashOf */
export function hashOfText(text: string): Hash {
  return hashOf(new TextEncoder().encode(text))
}
