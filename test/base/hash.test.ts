import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashOf, hashOfText } from '../../src/base/hash.js'

test("passes SMHasher's verification of MurmurHash3_x86_128", () => {
  // keys of every length up to 255, each with a seed of its own, and the hash of all their hashes
  const bytesOf = (words: readonly number[]) => new Uint8Array(Uint32Array.from(words).buffer)
  const key = Uint8Array.from({ length: 256 }, (_, i) => i)
  const hashes = new Uint8Array(256 * 16)
  for (let i = 0; i < 256; i++) hashes.set(bytesOf(hashOf(key.subarray(0, i), 256 - i)), i * 16)
  expect(hashOf(hashes)[0].toString(16)).toBe('b3ece62a')
})

test('a hash is of the bytes alone, wherever they lie', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(20), (bytes, offset) => {
      const within = new Uint8Array(bytes.length + offset)
      within.set(bytes, offset)
      expect(hashOf(within.subarray(offset))).toEqual(hashOf(bytes))
    }),
  )
})

test('one bit more or less changes about half of the hash', () => {
  const bitsOf = (x: number) => x.toString(2).replaceAll('0', '').length
  for (let bit = 0; bit < 320; bit++) {
    const bytes = new Uint8Array(40)
    const before = hashOf(bytes)
    bytes[bit >> 3] = 1 << (bit & 7)
    const changed = hashOf(bytes).reduce((sum, word, i) => sum + bitsOf((word ^ (before[i] ?? 0)) >>> 0), 0)
    expect(changed).toBeGreaterThan(32)
    expect(changed).toBeLessThan(96)
  }
})

test('texts are hashed as UTF-8', () => {
  expect(hashOfText('Ä')).toEqual(hashOf(Uint8Array.of(0xc3, 0x84)))
})
