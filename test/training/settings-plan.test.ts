import { expect, test } from 'vitest'
import { settingsPlan } from '../../src/training/settings-plan.js'

const place = (step: number, draw = 0) => ({ step, steps: 5, draw })

test('what a recipe leaves out is the student’s own', () => {
  expect(settingsPlan({}).at(place(3))).toEqual({})
  expect(settingsPlan({}).ends).toEqual([{}])
})

test('one keep ratio holds for every step', () => {
  const { at, ends } = settingsPlan({ keepRatio: 0.5 })
  expect([at(place(0)), at(place(4, 0.9))]).toEqual([{ keepRatio: 0.5 }, { keepRatio: 0.5 }])
  expect(ends).toEqual([{ keepRatio: 0.5 }])
})

test('of several each step has the one that was drawn', () => {
  const { at, ends } = settingsPlan({ keepRatio: [0.25, 0.5, 1] })
  const drawn = [0, 0.33, 0.34, 0.66, 0.67, 0.999].map((draw) => at(place(0, draw)).keepRatio)
  expect(drawn).toEqual([0.25, 0.25, 0.5, 0.5, 1, 1])
  expect(ends).toEqual([{ keepRatio: 0.25 }, { keepRatio: 0.5 }, { keepRatio: 1 }])
})

test('from one to another it glides, and begins and ends with them', () => {
  const { at, ends } = settingsPlan({ keepRatio: { from: 1, to: 0.5 } })
  expect([0, 1, 2, 3, 4].map((step) => at(place(step)).keepRatio)).toEqual([1, 0.875, 0.75, 0.625, 0.5])
  expect(at({ step: 0, steps: 1, draw: 0 })).toEqual({ keepRatio: 1 })
  expect(ends).toEqual([{ keepRatio: 1 }, { keepRatio: 0.5 }])
})

test('tokens are let go at every keep ratio', () => {
  const { at, ends } = settingsPlan({ reduce: 'tome:8', keepRatio: [0.5, 1] })
  expect(at(place(0, 0.5))).toEqual({ reduce: 'tome:8', keepRatio: 1 })
  expect(ends).toEqual([
    { reduce: 'tome:8', keepRatio: 0.5 },
    { reduce: 'tome:8', keepRatio: 1 },
  ])
  expect(settingsPlan({ reduce: 'tome:8' }).ends).toEqual([{ reduce: 'tome:8' }])
})
