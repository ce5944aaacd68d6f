import fc from 'fast-check'
import { expect, test } from 'vitest'
import { traceJson, traceJsonSchema } from '../../../src/tasks/trace/trace-json.js'
import { partition, type TracedStep } from '../../../src/tasks/trace/traced-steps.js'
import { dropping, fusing, merging, routes, traceOf, untouched } from '../../support/traces.js'

const origin = {
  model: { name: 'm', architecture: { image: { height: 24, width: 32 }, prefix: 1 } },
  picture: 'p.jpg',
}
const json = (...steps: readonly TracedStep[]) => traceJson(traceOf(steps), origin)

test('the JSON says what the drawing shows, as lists of patches', () => {
  expect(json(merging, fusing, dropping, ...routes([3, 5]))).toEqual({
    version: 2,
    model: 'm',
    setting: 'some:0.5',
    picture: 'p.jpg',
    image: { height: 24, width: 32 },
    patchSize: 8,
    grid: { rows: 3, columns: 4 },
    prefixTokens: 1,
    steps: [
      {
        ...{ afterLayer: 1, tokens: 9, fused: [], dropped: [] },
        kept: [3, 5, 6, 8, 9, 10, 11],
        merged: [
          [0, 1, 4],
          [2, 7],
        ],
      },
      {
        afterLayer: 4,
        tokens: 7,
        kept: [0, 2, 4, 6, 8, 10],
        merged: [],
        fused: [[1, 3, 5, 7, 9, 11]],
        dropped: [],
      },
      {
        afterLayer: 4,
        tokens: 6,
        kept: [0, 2, 4, 6, 8, 10],
        merged: [],
        fused: [],
        dropped: [1, 3, 5, 7, 9, 11],
      },
      {
        ...{ afterLayer: 1, tokens: 12, kept: untouched, merged: [], fused: [], dropped: [] },
        route: { layers: [2, 3], big: [3, 5] },
        scores: untouched.map(() => 1 / 12),
      },
    ],
    top: [{ index: 0, label: 'bird', probability: 0.5 }],
  })
})

test('whatever a method does, kept, merged, fused and dropped are a partition, and the schema agrees', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 12, maxLength: 12 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
      (patchToken, fused) => {
        const tokens = new Set(patchToken.filter((token) => token >= 0)).size
        const step = { afterLayer: 1, patchToken, fused, tokens }
        const { kept, merged, fused: summed, dropped } = partition(step)
        expect([kept, ...merged, ...summed, dropped].flat().sort((a, b) => a - b)).toEqual(untouched)
        expect(kept.length + merged.length + summed.length).toBe(tokens)
        expect(traceJsonSchema.safeParse(json(step)).error).toBeUndefined()
      },
    ),
  )
})

test('the schema refuses lists that are no partition, and a wrong number of tokens', () => {
  const complaints = (step: object) => {
    const good = json(dropping)
    return traceJsonSchema
      .safeParse({ ...good, steps: [{ ...good.steps[0], ...step }] })
      .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`)
  }
  expect(complaints({})).toBeUndefined()
  expect(complaints({ dropped: [1, 3, 5, 7, 9] })).toEqual(['steps.0 is no partition of the patches'])
  expect(complaints({ dropped: [1, 3, 5, 7, 9, 9] })).toEqual(['steps.0 is no partition of the patches'])
  expect(complaints({ dropped: [1, 3, 5, 7, 9, 12] })).toEqual(['steps.0 is no partition of the patches'])
  expect(complaints({ tokens: 7 })).toEqual(['steps.0.tokens is 7, the lists hold 6'])
})
