import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { presets } from '../../src/models/index.js'
import { type SettingPlans, settingsPlan, trainedSettings } from '../../src/training/settings-plan.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'

const routed = presets['micro+16'] ?? expect.fail('no preset')
const plain = presets['vit-base'] ?? expect.fail('no preset')
const place = (step: number, draw = 0) => ({ step, steps: 5, draw })
const planOf = (plans: SettingPlans, student = routed) => settingsPlan(plans, student)

test('what a recipe leaves out is the student’s own', () => {
  expect(planOf({}).at(place(3))).toEqual({})
  expect(planOf({})).toMatchObject({ ends: [{}], drawn: [{}], goals: [{}] })
})

test('one value holds for every step', () => {
  const { at, ends } = planOf({ keepRatio: 0.5 })
  expect([at(place(0)), at(place(4, 0.9))]).toEqual([{ keepRatio: 0.5 }, { keepRatio: 0.5 }])
  expect(ends).toEqual([{ keepRatio: 0.5 }])
})

test('of several each step has the one that was drawn', () => {
  const { at, ends, goals } = planOf({ keepRatio: [0.25, 0.5, 1] })
  const drawn = [0, 0.33, 0.34, 0.66, 0.67, 0.999].map((draw) => at(place(0, draw)).keepRatio)
  expect(drawn).toEqual([0.25, 0.25, 0.5, 0.5, 1, 1])
  expect(ends).toEqual([{ keepRatio: 0.25 }, { keepRatio: 0.5 }, { keepRatio: 1 }])
  expect(goals).toEqual(ends)
})

test('from one to another it glides, and begins and ends with them', () => {
  const { at, ends, drawn, goals } = planOf({ keepRatio: { from: 1, to: 0.5 } })
  expect([0, 1, 2, 3, 4].map((step) => at(place(step)).keepRatio)).toEqual([1, 0.875, 0.75, 0.625, 0.5])
  expect(at({ step: 0, steps: 1, draw: 0 })).toEqual({ keepRatio: 1 })
  expect(ends).toEqual([{ keepRatio: 1 }, { keepRatio: 0.5 }])
  expect([drawn, goals]).toEqual([[{ keepRatio: 1 }], [{ keepRatio: 0.5 }]])
})

test('a reduction glides in the number that it has, by steps of a hundredth or a token', () => {
  const { at } = planOf({ reduce: { from: 'evit:1,fuse=false', to: 'evit:0.8,fuse=false' } }, plain)
  expect([0, 1, 2, 3, 4].map((step) => at(place(step)).reduce)).toEqual([
    'evit:1,fuse=false',
    'evit:0.95,fuse=false',
    'evit:0.9,fuse=false',
    'evit:0.85,fuse=false',
    'evit:0.8,fuse=false',
  ])
  const merging = planOf({ reduce: { from: 'tome:0', to: 'tome:5' } }, plain)
  expect([0, 1, 4].map((step) => merging.at(place(step)).reduce)).toEqual(['tome:0', 'tome:1', 'tome:5'])
})

test.each([
  ['evit:1', 'tome:8'],
  ['evit:1', 'evit:0.7,fuse=false'],
  ['evit:1', 'evit:0.9/0.7/0.5'],
  ['evit:0.9/0.7/0.5', 'evit:0.7'],
])('there is no way from %s to %s', (from, to) => {
  expect(() => planOf({ reduce: { from, to } }, plain).at(place(0))).toThrow(/There is no way from evit/)
})

const golden = shared('golden/evit/golden.json')

test.skipIf(!hasSharedData)(`the cosine is the schedule of EViT’s authors${withoutSharedData}`, () => {
  const { keep_rate_schedule: schedule } = JSON.parse(readFileSync(golden, 'utf8'))
  const values: [string, number][] = Object.entries(schedule.values)
  expect(values.length).toBeGreaterThan(5)
  for (const [key, rate] of values) {
    const [step = 0, , first = 0, last = 0, perEpoch = 0, base = 0] = key.split(',').map(Number)
    const steps = 2 * last * perEpoch
    const [start, end] = [(first * perEpoch) / steps, (last * perEpoch) / steps]
    const { at } = planOf({ keepRatio: { from: 1, to: base, shape: 'cosine', start, end } })
    expect(at({ step, steps, draw: 0 }).keepRatio).toBeCloseTo(rate, 12)
  }
})

test('one recipe trains a model that routes and its plain baseline', () => {
  const plans: SettingPlans = { keepRatio: [0.25, 0.5] }
  expect(planOf(plans).ends).toEqual([{ keepRatio: 0.25 }, { keepRatio: 0.5 }])
  expect(planOf(plans, plain).ends).toEqual([{}])
})

test('every choice of several settings is an end', () => {
  const plans: SettingPlans = { reduce: 'tome:8', keepRatio: [0.5, 1] }
  const { at, ends } = planOf(plans)
  expect(at(place(0, 0.5))).toEqual({ reduce: 'tome:8', keepRatio: 1 })
  expect(ends).toEqual([
    { reduce: 'tome:8', keepRatio: 0.5 },
    { reduce: 'tome:8', keepRatio: 1 },
  ])
})

test.each([
  ['keepRatio', 2, /Keep ratio 2 is not a number above 0 and up to 1/],
  ['keepRatio', [0.5, '0.25'], /Keep ratio 0\.25 is not a number/],
  ['keepRatio', { from: 1, to: 0.5, start: 0.5, end: 0.25 }, /start must lie before its end/],
  ['reduce', 'evit', /doesn't say how much/],
  ['reduce', { from: 'evit:1', to: 'evit:3' }, /evit's keep is "3"/],
] as const)('a recipe can’t plan %s as %j', (name, plan, complaint) => {
  const parsed = trainedSettings[name].safeParse(plan)
  expect(parsed.error?.issues.map(({ message }) => message).join()).toMatch(complaint)
})
