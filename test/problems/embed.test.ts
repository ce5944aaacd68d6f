import { describe, expect, test } from 'vitest'
import { embed } from '../../src/problems/embed.js'

const features = { shape: [4, 2], values: Float32Array.of(9, 9, 1, 2, 3, 4, 5, 6) }
const context = { labels: [], scores: 'softmax', prefix: 1, classToken: true, projection: undefined } as const

describe('an embedding', () => {
  test('is the class token, the mean of the patches, or one after the other', () => {
    const of = (pooling: 'cls' | 'mean' | 'both') => [...embed.answer({ features }, context, { pooling })]
    expect(of('cls')).toEqual([9, 9])
    expect(of('mean')).toEqual([3, 4])
    expect(of('both')).toEqual([9, 9, 3, 4])
  })

  test('a token that stands for several patches counts as often', () => {
    const sizes = { shape: [4], values: Float32Array.of(1, 2, 1, 1) }
    const rows = { features, token_sizes: sizes }
    expect([...embed.answer(rows, context, { pooling: 'mean' })]).toEqual([2.5, 3.5])
  })

  test('normalized it is 1 long; zeros stay zeros', () => {
    const vector = embed.answer({ features }, context, { pooling: 'mean', normalize: true })
    expect([...vector].map((value) => value.toFixed(6))).toEqual(['0.600000', '0.800000'])
    const nothing = { features: { shape: [2, 2], values: new Float32Array(4) } }
    expect([...embed.answer(nothing, context, { normalize: true })]).toEqual([0, 0])
  })

  test('a model without a class token gives the mean, and refuses to give another', () => {
    const bare = { ...context, prefix: 0, classToken: false } as const
    expect([...embed.answer({ features }, bare, {})]).toEqual([4.5, 5.25])
    expect(() => embed.check?.({ pooling: 'cls' }, bare)).toThrow(/no class token/)
    expect(() => embed.check?.({ pooling: 'median' as 'mean' }, context)).toThrow(/one of cls, mean, both/)
  })

  test('the projection is what a CLIP gives beside its tokens, and no other model has one', () => {
    const rows = { features, embedding: { shape: [3], values: Float32Array.of(0, 3, 4) } }
    const clip = { ...context, projection: 3 }
    expect(() => embed.check?.({ pooling: 'projection' }, clip)).not.toThrow()
    expect([...embed.answer(rows, clip, { pooling: 'projection' })]).toEqual([0, 3, 4])
    const vector = embed.answer(rows, clip, { pooling: 'projection', normalize: true })
    expect([...vector].map((value) => value.toFixed(6))).toEqual(['0.000000', '0.600000', '0.800000'])
    expect([...rows.embedding.values]).toEqual([0, 3, 4])
    expect(() => embed.check?.({ pooling: 'projection' }, context)).toThrow(/no projection/)
  })
})
