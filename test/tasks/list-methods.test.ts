import { expect, test } from 'vitest'
import { families } from '../../src/models/index.js'
import * as reductions from '../../src/reduction/index.js'
import { findMethod, listMethods } from '../../src/tasks/list-methods.js'

test('every reduction is listed, and every family that saves work', () => {
  const list = listMethods()
  expect(list.reductions.map(({ name }) => name)).toEqual(
    Object.values(reductions)
      .map(({ name }) => name)
      .sort(),
  )
  expect(list.families.map(({ name }) => name)).toEqual(
    families.flatMap(({ name, saves }) => (saves ? [name] : [])),
  )
  expect(list.families.map(({ name }) => name)).toContain('blvit')
})

test('a method is found by its name, with its parameters in the order in which they are typed', () => {
  expect(findMethod(' ToMe ')).toMatchObject({
    name: 'tome',
    training: 'none',
    needs: [],
    parameters: [
      { name: 'r', default: null },
      { name: 'schedule', default: 'constant' },
      { name: 'proportional', default: 'true' },
    ],
  })
  expect(findMethod('evit')).toMatchObject({ training: 'better', needs: ['classToken', 'notDistilled'] })
  expect(findMethod('blvit')).toMatchObject({ title: 'big.LITTLE ViT' })
})

test('an unknown one is refused with what there is', () =>
  expect(() => findMethod('tomme')).toThrow(/no method "tomme"\. Did you mean "tome"\? Known: .*evit/))
