import { describe, expect, test } from 'vitest'
import { middles, tokenGroups } from '../../../src/tasks/trace/token-groups.js'
import type { TracedStep } from '../../../src/tasks/trace/traced-steps.js'
import { grid, merging, untouched } from '../../support/traces.js'

/** A step in which the patches of each list are one token. */
function joining(...lists: readonly (readonly number[])[]): TracedStep {
  const patchToken = untouched.map((patch) => lists.find((list) => list.includes(patch))?.[0] ?? patch)
  return { afterLayer: 1, tokens: new Set(patchToken).size, patchToken }
}

const numbered = (...steps: readonly TracedStep[]) =>
  tokenGroups({ grid, steps }).map((groups) => groups.map(({ number, patches }) => [number, ...patches]))

describe('groups', () => {
  test('are those of several patches, by number', () => {
    expect(numbered(merging)).toEqual([
      [
        [1, 0, 1, 4],
        [2, 2, 7],
      ],
    ])
  })

  test('keep their number while they grow, and the smaller one when two become one', () => {
    expect(
      numbered(
        joining([4, 5]),
        joining([4, 5], [0, 1]),
        joining([4, 5, 9], [0, 1], [3, 7]),
        joining([0, 1, 4, 5, 9], [3, 7]),
      ),
    ).toEqual([
      [[1, 4, 5]],
      [
        [1, 4, 5],
        [2, 0, 1],
      ],
      [
        [1, 4, 5, 9],
        [2, 0, 1],
        [3, 3, 7],
      ],
      [
        [1, 0, 1, 4, 5, 9],
        [3, 3, 7],
      ],
    ])
  })

  test('of a token that is summed up again: the sum goes on under the number of what it took in', () => {
    const fusedIn = (...patches: readonly number[]): TracedStep => ({
      afterLayer: 1,
      tokens: 12 - patches.length + 1,
      patchToken: untouched.map((patch) => (patches.includes(patch) ? 99 : patch)),
      fused: [99],
    })
    expect(numbered(fusedIn(3), fusedIn(3, 5, 6))).toEqual([[[1, 3]], [[1, 3, 5, 6]]])
    expect(tokenGroups({ grid, steps: [fusedIn(3)] })[0]?.[0]?.fused).toBe(true)
  })

  test('a large picture full of pairs: no two that touch have one colour, from step to step either', () => {
    const wide = { rows: 14, columns: 14 }
    const pairs = (count: number): TracedStep => ({
      afterLayer: 1,
      tokens: 196 - count,
      // upright pairs first, then each joins its right neighbour
      patchToken: Array.from({ length: 196 }, (_, patch) => {
        const [row, column] = [Math.floor(patch / 14), patch % 14]
        const upper = row - (row % 2)
        return upper * 14 + (column < count ? column - (column % 2) : column)
      }),
    })
    const steps = tokenGroups({ grid: wide, steps: [pairs(0), pairs(4), pairs(14)] })
    expect(steps.map((groups) => groups.length)).toEqual([98, 84, 49])
    for (const groups of steps) {
      for (const a of groups) {
        for (const b of groups) {
          const touch = a.patches.some((p) =>
            b.patches.some(
              (q) =>
                Math.abs((p % 14) - (q % 14)) <= 1 && Math.abs(Math.floor(p / 14) - Math.floor(q / 14)) <= 1,
            ),
          )
          if (a !== b && touch) expect(a.colour).not.toEqual(b.colour)
        }
      }
    }
  })
})

test('a number stands in the middle of each connected part', () => {
  // . # # #
  // . . . .
  // # . # .
  expect(middles({ patches: [1, 2, 3, 8, 10] }, grid)).toEqual([2, 8, 10])
  expect(middles({ patches: [0, 4, 5, 9] }, grid)).toHaveLength(1) // joined by sides
  expect(middles({ patches: [3, 4] }, grid)).toEqual([3, 4]) // the end of a row and the beginning of the next
})
