import { expect, test } from 'vitest'
import { assertSameRun } from '../../src/base/run-identity.js'

const told = { is: 'is of another run', advice: 'Begin anew.' }

test('the same run may go on', () => {
  const identity = { seed: '0', model: 'a' }
  expect(assertSameRun('state', { found: identity, wanted: { ...identity } }, told)).toBeUndefined()
})

test('all that differs is named, long values by their beginnings', () => {
  const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
  const found = { model: a, seed: '0', recipe: 'x'.repeat(100), data: 'same', device: 'cpu' }
  const wanted = { model: b, seed: '1', recipe: 'y', data: 'same', teacher: 't' }
  expect(() => assertSameRun('state', { found, wanted }, told)).toThrowErrorMatchingInlineSnapshot(`
    [BlvitError: state is of another run:
      model: fingerprint aaaaaaaaaaaa… there, fingerprint bbbbbbbbbbbb… now
      seed: 0 there, 1 now
      recipe: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… there, y now
      device: cpu there, nothing now
      teacher: nothing there, t now
    Begin anew.]
  `)
})
