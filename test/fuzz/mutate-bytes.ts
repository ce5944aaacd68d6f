import type { Random } from './random.js'

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array

/** Numbers at which readers of lengths and offsets go wrong. */
const extremes = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

const mutations: readonly Mutation[] = [
  flipBits,
  overwrite,
  writeExtreme,
  (bytes, random) => bytes.slice(0, random.integer(bytes.length + 1)),
  insert,
  remove,
  repeat,
]

/** One to three changes that know nothing of the format. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let mutated = bytes
  for (let left = 1 + random.integer(3); left > 0; left--) mutated = random.pick(mutations)(mutated, random)
  return mutated
}

function flipBits(bytes: Uint8Array, random: Random): Uint8Array {
  const flipped = bytes.slice()
  for (let left = 1 + random.integer(8); left > 0 && flipped.length > 0; left--) {
    const at = random.integer(flipped.length)
    flipped[at] = (flipped[at] as number) ^ (1 << random.integer(8))
  }
  return flipped
}

function overwrite(bytes: Uint8Array, random: Random): Uint8Array {
  const { start, end } = range(bytes, random)
  const changed = bytes.slice()
  const constant = random.chance(0.5) ? random.pick([0, 0x20, 0x7f, 0x80, 0xff]) : undefined
  for (let at = start; at < end; at++) changed[at] = constant ?? random.integer(256)
  return changed
}

function writeExtreme(bytes: Uint8Array, random: Random): Uint8Array {
  const changed = bytes.slice()
  const width = random.pick([1, 2, 4, 8])
  if (changed.length < width) return changed
  const view = new DataView(changed.buffer)
  const at = random.integer(changed.length - width + 1)
  const littleEndian = random.chance(0.5)
  const value = random.pick(extremes)
  if (width === 1) view.setUint8(at, value)
  else if (width === 2) view.setUint16(at, value, littleEndian)
  else if (width === 4) view.setUint32(at, value, littleEndian)
  else view.setBigUint64(at, random.chance(0.5) ? BigInt(value) : 2n ** 64n - 1n, littleEndian)
  return changed
}

function insert(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.integer(bytes.length + 1)
  const some = Uint8Array.from({ length: 1 + random.integer(64) }, () => random.integer(256))
  return join(bytes.subarray(0, at), some, bytes.subarray(at))
}

function remove(bytes: Uint8Array, random: Random): Uint8Array {
  const { start, end } = range(bytes, random)
  return join(bytes.subarray(0, start), bytes.subarray(end))
}

function repeat(bytes: Uint8Array, random: Random): Uint8Array {
  const { start, end } = range(bytes, random)
  return join(bytes.subarray(0, end), bytes.subarray(start))
}

function range(bytes: Uint8Array, random: Random): { start: number; end: number } {
  const start = random.integer(bytes.length + 1)
  return { start, end: Math.min(bytes.length, start + random.integer(64)) }
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
