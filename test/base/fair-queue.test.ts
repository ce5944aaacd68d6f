import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FairQueue } from '../../src/base/fair-queue.js'

const [ann, bob, cyd] = [{}, {}, {}]

describe('a queue in which callers take turns', () => {
  test('one thing of each in turn, each caller’s in their order', () => {
    const queue = new FairQueue<{ caller: object; what: string }>()
    for (const what of ['a1', 'a2', 'a3', 'a4']) queue.add({ caller: ann, what })
    for (const what of ['b1', 'b2']) queue.add({ caller: bob, what })
    queue.add({ caller: cyd, what: 'c1' })
    const taken = Array.from({ length: 8 }, () => queue.take()?.what)
    expect(taken).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4', undefined])
  })

  test('a caller whose first thing isn’t wanted keeps his turn', () => {
    const queue = new FairQueue<{ caller: object; what: number }>()
    queue.add({ caller: ann, what: 1 })
    queue.add({ caller: bob, what: 2 })
    expect(queue.take(({ what }) => what % 2 === 0)?.what).toBe(2)
    expect(queue.take(({ what }) => what % 2 === 0)).toBeUndefined()
    expect(queue.take()?.what).toBe(1)
  })

  test('whatever is added and removed, each thing comes out once, and nobody waits for two turns of another', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.boolean()), { maxLength: 60 }), (events) => {
        const callers = Array.from({ length: 5 }, () => ({}))
        const queue = new FairQueue<{ caller: object; number: number }>()
        const left = new Set<number>()
        events.forEach(([who, stays], number) => {
          const item = { caller: callers[who] ?? {}, number }
          queue.add(item)
          if (stays) left.add(number)
          else expect(queue.remove(item)).toBe(true)
        })
        expect(queue.size).toBe(left.size)
        const taken: { caller: object; number: number }[] = []
        for (let next = queue.take(); next; next = queue.take()) taken.push(next)
        expect(new Set(taken.map(({ number }) => number))).toEqual(left)
        for (const caller of callers) {
          const own = taken.flatMap((item, place) => (item.caller === caller ? [place] : []))
          const numbers = own.map((place) => taken[place]?.number ?? -1)
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
          own.slice(1).forEach((place, i) => {
            const between = taken.slice((own[i] ?? 0) + 1, place).map((item) => item.caller)
            expect(new Set(between).size).toBe(between.length)
          })
        }
      }),
    )
  })
})
