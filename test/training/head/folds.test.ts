import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.js'
import { stratifiedFolds } from '../../../src/training/head/folds.js'

test('each fold has its part of every class, and no group is parted', () => {
  const labels = [...Array(50).fill([0]), ...Array(25).fill([1]), ...Array(5).fill([2])] as number[][]
  const groups = labels.map((_, row) => (row < 12 ? 0 : row))
  const folds = stratifiedFolds(labels, groups, { folds: 5, random: seededRandom(1) })
  const counts = (label: number) =>
    [0, 1, 2, 3, 4].map((fold) => labels.filter(([own], row) => own === label && folds[row] === fold).length)
  expect(counts(1)).toEqual([5, 5, 5, 5, 5])
  expect(counts(2)).toEqual([1, 1, 1, 1, 1])
  expect(new Set(folds.slice(0, 12)).size).toBe(1)
  // 12 of the first class can't be parted; the other folds share the rest
  expect(counts(0).sort((a, b) => a - b)).toEqual([9, 9, 10, 10, 12])
  const again = stratifiedFolds(labels, groups, { folds: 5, random: seededRandom(1) })
  expect(again).toEqual(folds)
})
