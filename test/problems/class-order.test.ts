import { describe, expect, test } from 'vitest'
import { classOrder, inOrder } from '../../src/problems/class-order.js'

const order = (own: readonly string[], other: readonly string[]) =>
  classOrder({ name: 'small', labels: own }, { name: 'teacher', labels: other })

describe('the classes of a model among another’s', () => {
  test.each([
    ['the same labels', ['cat', 'dog'], ['cat', 'dog'], undefined, 'label'],
    [
      'written otherwise',
      ['Tench, Tinca tinca', 'São_Paulo'],
      ['tench', 'são paulo'.normalize('NFD')],
      undefined,
      'label',
    ],
    [
      'two of one name in the same order',
      ['crane', 'hen', 'crane'],
      ['crane', 'hen', 'crane'],
      undefined,
      'label',
    ],
    ['in another order', ['cat', 'dog', 'hen'], ['hen', 'cat', 'dog'], [1, 2, 0], 'label'],
    [
      'in another order and written otherwise',
      ['tench, Tinca tinca', 'hen'],
      ['Hen, biddy', 'tench'],
      [1, 0],
      'label',
    ],
    ['numbers in another order', ['1', '2', '0'], ['0', '1', '2'], [1, 2, 0], 'label'],
    ['names that count in another order', ['L0', 'L1', 'L2'], ['L2', 'L1', 'L0'], [2, 1, 0], 'label'],
    ['numbers from 1 beside numbers from 0', ['1', '2', '3'], ['0', '1', '2'], undefined, 'number'],
    ['without names on one side', ['cat', 'dog'], ['LABEL_0', 'LABEL_1'], undefined, 'number'],
    ['without names on both', ['class 0', 'class 1'], ['LABEL_0', 'LABEL_1'], undefined, 'label'],
  ] as const)('%s', (_, own, other, numbers, by) => {
    expect(order(own, other)).toEqual({ numbers, by })
  })

  test.each([
    [
      ['cat', 'dog'],
      ['cat', 'hen'],
      /^teacher has other classes than small: it has no class "dog"\. Their answers can't be compared\.$/,
    ],
    [['cat', 'dog'], ['cat'], /it has 1 class instead of 2/],
    [['crane', 'hen', 'crane'], ['hen', 'crane', 'crane'], /another order, and several may be "crane"/],
    [['a, b', 'b', 'c'], ['c', 'b', 'd'], /several may be "b"/],
  ])('%j are not those of %j', (own, other, message) => {
    expect(() => order(own, other)).toThrow(message)
  })

  test('answers come in the order of the own classes', () => {
    const found = order(['cat', 'dog', 'hen'], ['hen', 'cat', 'dog'])
    expect([...inOrder(Float32Array.of(10, 20, 30), found)]).toEqual([20, 30, 10])
  })
})
