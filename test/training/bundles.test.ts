import { describe, expect, test } from 'vitest'
import { bundlesOf } from '../../src/training/bundles.js'

const usual = { learningRateScale: 1, weightDecay: 0.1, frozen: false }

describe('bundles', () => {
  test('hold what is treated alike, each parameter once; large ones stand alone', () => {
    const shapes = { a: [4], b: [2, 3], large: [300, 300], c: [5], slow: [2] }
    const parameters = Object.entries(shapes).map(([name, shape]) => ({
      ...{ name, shape },
      treatment: name === 'slow' ? { ...usual, learningRateScale: 0.1 } : usual,
    }))
    const bundles = bundlesOf(parameters).map(({ name, shape, members }) => [
      name,
      shape,
      members.map((member) => member.name).join(' '),
    ])
    expect(bundles).toEqual([
      ['a+2', [15], 'a b c'],
      ['large', [300, 300], 'large'],
      ['slow', [2], 'slow'],
    ])
  })
})
