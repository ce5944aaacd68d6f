import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dealtByName, dealtCount, isDealt, orderByName, parseShard, shardText } from '../../src/base/shard.js'

const shards = (count: number) => Array.from({ length: count }, (_, index) => ({ index, count }))
const listOf = (names: readonly string[]) => names.map((name) => ({ name }))
// few letters, so that names come twice; an accent, so that languages would sort differently
const names = fc.array(fc.string({ unit: fc.constantFrom('a', 'B', 'é', '/'), maxLength: 4 }), {
  maxLength: 40,
})
const counts = fc.integer({ min: 1, max: 12 })

describe('pictures are dealt to shards', () => {
  test('each picture to one shard, and no shard gets two more than another', () => {
    fc.assert(
      fc.property(names, counts, (list, count) => {
        const dealt = shards(count).map((shard) => dealtByName(listOf(list), { shard }))
        expect(dealt.flat().sort((a, b) => a - b)).toEqual(list.map((_, place) => place))
        const sizes = dealt.map(({ length }) => length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        for (const places of dealt) expect(places).toEqual(places.toSorted((a, b) => a - b))
      }),
    )
  })

  test('a shard has the same names however they are listed', () => {
    const shuffledNames = names.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    )
    fc.assert(
      fc.property(shuffledNames, counts, ([list, shuffled], count) => {
        for (const shard of shards(count)) {
          const namesOf = (some: readonly string[]) =>
            dealtByName(listOf(some), { shard })
              .map((place) => some[place])
              .sort()
          expect(namesOf(shuffled)).toEqual(namesOf(list))
        }
      }),
    )
  })

  test('hands stay together, and a shard’s share can be counted without dealing', () => {
    fc.assert(
      fc.property(fc.nat(200), counts, fc.integer({ min: 1, max: 9 }), (total, count, hand) => {
        const places = Array.from({ length: total }, (_, place) => place)
        const ownerOf = (place: number) => shards(count).filter((shard) => isDealt(place, { shard, hand }))
        for (const place of places) {
          expect(ownerOf(place)).toEqual(ownerOf(hand * Math.floor(place / hand)))
          expect(ownerOf(place)).toHaveLength(1)
        }
        for (const shard of shards(count)) {
          const dealt = places.filter((place) => isDealt(place, { shard, hand }))
          expect(dealtCount(total, { shard, hand })).toBe(dealt.length)
        }
      }),
    )
  })

  test('names sort by code units, of equal ones the first first', () => {
    expect(orderByName(listOf(['b', 'é', 'B', 'b', 'a10', 'a9']))).toEqual([2, 4, 5, 0, 3, 1])
  })

  test.each(['0/1', '4/5', '999/1000'])('%s is a shard', (text) => {
    expect(shardText(parseShard(text))).toBe(text)
  })

  test.each([
    ['5/5', /shards count from 0, so those of 5 are 0\/5 to 4\/5/],
    ['6/5', /shards count from 0/],
    ['0/0', /n is at least 1/],
    ['1/1', /shards count from 0, so those of 1 are 0\/1 alone/],
    ['a/b', /must be i\/n in whole numbers: e\.g\. 0\/5/],
    ['0.5/2', /in whole numbers/],
    ['-1/5', /in whole numbers/],
    ['3', /in whole numbers/],
    ['1/99999999999999999', /in whole numbers/],
  ])('%s is none', (text, message) => {
    expect(() => parseShard(text)).toThrow(message)
    expect(() => parseShard(text)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
  })
})
