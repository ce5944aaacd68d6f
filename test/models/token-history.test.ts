import { expect, test } from 'vitest'
import { followPatches, type ReduceEvent } from '../../src/models/token-history.js'

/** One prefix token and four patches; assignments as a method tells them, prefix included. */
function reduce(
  layer: number,
  assignment: readonly number[],
  { tokensAfter, fused }: Pick<ReduceEvent, 'tokensAfter' | 'fused'>,
): ReduceEvent {
  return { kind: 'reduce', layer, tensors: {}, tokensAfter, fused, assignment: () => assignment }
}

const follow = (...history: readonly ReduceEvent[]) =>
  followPatches(history, () => [], { prefix: 1, patches: 5, sizes: {} }).map(
    ({ layer, tokens, patchToken, fused }) => ({ layer, tokens, patchToken, fused }),
  )

test('a fused token that is kept stays one beside a new one; fused again, it is part of that', () => {
  // 1, 3 and 4 are fused; then 0 alone is, and the fused token stays; then 2 and the older one
  const first = reduce(1, [0, 1, 3, 2, 3, 3], { tokensAfter: 4, fused: [3] })
  const second = reduce(2, [0, 3, 1, 2], { tokensAfter: 4, fused: [3] })
  const third = reduce(3, [0, 2, 2, 1], { tokensAfter: 3, fused: [2] })
  expect(follow(first, second, third)).toEqual([
    { layer: 1, tokens: 3, patchToken: [0, 2, 1, 2, 2], fused: [2] },
    { layer: 2, tokens: 3, patchToken: [2, 1, 0, 1, 1], fused: [1, 2] },
    { layer: 3, tokens: 2, patchToken: [0, 1, 1, 1, 1], fused: [1, 0] },
  ])
})

test('what is dropped stays dropped, merged patches stay one', () => {
  const merge = reduce(1, [0, 1, 1, 2, 3, 4], { tokensAfter: 5 })
  const drop = reduce(2, [0, 1, -1, 2, -1], { tokensAfter: 3 })
  expect(follow(merge, drop)).toEqual([
    { layer: 1, tokens: 4, patchToken: [0, 0, 1, 2, 3], fused: [] },
    { layer: 2, tokens: 2, patchToken: [0, 0, -1, 1, -1], fused: [] },
  ])
})
