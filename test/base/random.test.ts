import { describe, expect, test } from 'vitest'
import { noiseFor, pictureKey, seededRandom, streamFrom } from '../../src/base/random.js'

test("the generator gives its authors' numbers", () => {
  // xoshiro128starstar.c, version 1.1, from the state 1, 2, 3, 4
  const random = streamFrom([1, 2, 3, 4])
  expect(Array.from({ length: 10 }, () => random() * 2 ** 32)).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ])
})

describe('streams', () => {
  const start = (...key: Parameters<typeof seededRandom>) => {
    const random = seededRandom(...key)
    return `${random()} ${random()}`
  }

  test('the same key gives the same stream, every other key another', () => {
    expect(start(0, 'weights', 'a')).toBe(start(0, 'weights', 'a'))
    const keys: Parameters<typeof seededRandom>[] = [
      [0],
      [1],
      [-1],
      [0.5],
      // 32 bits aren't all of a seed
      [2 ** 32],
      [2 ** 40],
      [0, 'a'],
      [0, 'b'],
      [0, 'a', 'b'],
      [0, 'ab'],
      [0, 1],
      [0, '1'],
      [0, 1, 0],
      [0, 0, 1],
    ]
    expect(new Set(keys.map((key) => start(...key))).size).toBe(keys.length)
  })

  // A generator with one cycle of 2³² numbers, begun at 400 places, has about four of these.
  test('no stream of 400 begins within the first 130,000 numbers of another', () => {
    const streams = Array.from({ length: 400 }, (_, i) =>
      seededRandom(0, 'weights', `blocks.${i}.mlp.fc1.weight`),
    )
    const starts = new Map(streams.map((random, i) => [random() * 2 ** 32, i]))
    const next = streams.map((random) => random())
    // most numbers are told from all starts by 16 bits
    const seen = new Uint8Array(2 ** 16)
    for (const start of starts.keys()) seen[start & 0xffff] = 1
    const overlaps = streams.flatMap((random, i) => {
      const found: string[] = []
      for (let at = 2; at < 2 ** 17; at++) {
        const word = random() * 2 ** 32
        if (seen[word & 0xffff] === 0) continue
        const other = starts.get(word)
        if (other !== undefined && random() === next[other]) found.push(`${other} in ${i} at ${at}`)
      }
      return found
    })
    expect(overlaps).toEqual([])
  })

  test('each tenth of 0 … 1 gets a tenth', () => {
    const random = seededRandom(3)
    const tenths = new Array(10).fill(0)
    for (let i = 0; i < 100_000; i++) tenths[Math.floor(random() * 10)] += 1
    // five standard deviations are 475
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(475)
  })
})

describe('noise for a model', () => {
  const picture = (value: number) => pictureKey(Float32Array.of(0.5, value, 0.25))
  const noise = (seed: number, input: string, key: string) =>
    noiseFor(seed, { input, picture: key, length: 5 })

  test('depends on seed, input and picture', () => {
    const all = [
      noise(0, 'a', picture(1)),
      noise(1, 'a', picture(1)),
      noise(0, 'b', picture(1)),
      noise(0, 'a', picture(-1)),
    ]
    expect(new Set(all.map(String)).size).toBe(4)
    expect(noise(0, 'a', picture(1))).toEqual(noise(0, 'a', picture(1)))
  })

  test('a picture is known by its numbers, wherever in a batch they lie', () => {
    const batch = Float32Array.of(9, 0.5, 1, 0.25)
    expect(pictureKey(batch.subarray(1))).toBe(picture(1))
    expect(pictureKey(batch.subarray(0, 3))).not.toBe(picture(1))
  })
})
