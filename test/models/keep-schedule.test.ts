import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Engine } from '../../src/engine/engine.js'
import { withChanges } from '../../src/models/index.js'
import { keptNames, keptSizes, layersOf } from '../../src/models/keep-schedule.js'
import { routesOf } from '../../src/models/token-history.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { traceProgram } from '../../src/tasks/trace/trace.js'
import { expectClose } from '../support/expect-close.js'
import { feedsOf, outputsOf, randomModel, randomPixels, shrunk } from '../support/tiny-models.js'

const routing = fc
  .record({
    depth: fc.integer({ min: 2, max: 12 }),
    weights: fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 6 }),
    fullLayers: fc.integer({ min: 1, max: 11 }),
  })
  .filter(({ depth, weights, fullLayers }) => weights.length < depth && fullLayers < depth)
  .map(({ depth, weights, fullLayers }) => ({
    ...{ depth, fullLayers, keepSchedule: weights },
    predictorAfter: weights.map((_, i) => i + 1),
  }))

describe('how many patches each selection chooses', () => {
  test('the routed layers process the keep ratio on average, in proportion to the schedule, all at 1', () => {
    fc.assert(
      fc.property(
        routing,
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.integer({ min: 100, max: 4096 }),
        (model, ratio, patches) => {
          const kept = Object.values(keptSizes(ratio, { routing: model, patches }))
          expect(kept).toHaveLength(model.keepSchedule.length)
          const layers = kept.map((_, i) => layersOf(model, i).length)
          const routed = layers.reduce((a, b) => a + b, 0)
          const processed = kept.reduce((sum, count, i) => sum + count * (layers[i] ?? 0), 0)
          // rounded down to whole patches, and up to one
          expect(Math.abs(processed / routed - ratio * patches)).toBeLessThan(1 + 1e-6)
          for (const [i, count] of kept.entries()) {
            expect(count).toBeGreaterThanOrEqual(1)
            expect(count).toBeLessThanOrEqual(patches)
            for (const [j, other] of kept.entries()) {
              const heavier = (model.keepSchedule[i] ?? 0) >= (model.keepSchedule[j] ?? 0)
              if (heavier && layers[i] && layers[j]) expect(count).toBeGreaterThanOrEqual(other)
            }
          }
          const whole = Object.values(keptSizes(1, { routing: model, patches }))
          expect(new Set(whole)).toEqual(new Set([patches]))
        },
      ),
    )
  })

  test('one number is the paper’s ⌊r·M⌋ for all of them', () => {
    const paper = { depth: 12, fullLayers: 1, predictorAfter: [1, 4, 7, 10], keepSchedule: [1] }
    expect(keptNames(paper)).toEqual(['kept'])
    expect(keptSizes(0.375, { routing: paper, patches: 196 })).toEqual({ kept: 73 })
    const falling = { ...paper, keepSchedule: [12, 8, 5, 3] }
    // of 11 layers (3·12 + 3·8 + 3·5 + 2·3)/11 weights on average
    expect(keptSizes(0.375, { routing: falling, patches: 196 })).toEqual({
      ...{ 'kept.0': 119, 'kept.1': 79, 'kept.2': 49, 'kept.3': 29 },
    })
  })
})

const [rows, columns] = [4, 5]

function scheduled(keepSchedule: readonly number[]) {
  const architecture = shrunk('micro+16', { rows, columns, predictor: 'mlp', keep_schedule: keepSchedule })
  return randomModel(architecture, { seed: 3 })
}

async function logitsOf(keepSchedule: readonly number[], keepRatio: number) {
  const { architecture, weights } = scheduled(keepSchedule)
  await using engine = await Engine.load(
    { architecture, weights, runtime: await nativeRuntime() },
    (built) => ({
      ...outputsOf(built),
      ...traceProgram.outputs(built),
    }),
  )
  const { outputs } = await engine.run(feedsOf({ ...randomPixels(architecture, { count: 2 }) }), {
    keepRatio,
  })
  return Array.from(outputs.logits?.values ?? [], Number)
}

test('equal numbers are one number', async () => {
  const [equal, one] = await Promise.all([logitsOf([3, 3], 0.5), logitsOf([1], 0.5)])
  expectClose(equal, one, { atol: 1e-6, rtol: 1e-6 })
})

test('each selection chooses its own number, and everything at keep ratio 1', async () => {
  const { architecture } = scheduled([3, 1])
  const { history } = architecture.build()
  expect(routesOf(history).map(({ chosen }) => chosen.toString())).toEqual(['kept.0', 'kept.1'])
  const [falling, even, all, allEven] = await Promise.all([
    logitsOf([3, 1], 0.5),
    logitsOf([1], 0.5),
    logitsOf([3, 1], 1),
    logitsOf([1], 1),
  ])
  expect(falling).not.toEqual(even)
  expectClose(all, allEven, { atol: 1e-6, rtol: 1e-6 })
})

test('a schedule of another length is refused, with what it may be', () => {
  expect(() => withChanges(shrunk('micro+16'), { keep_schedule: [3, 2, 1] })).toThrow(
    expect.objectContaining({
      code: 'BAD_OPTION',
      message: expect.stringMatching(/keep_schedule \[3,2,1\] has 3 numbers: give one for each of the 2/),
    }),
  )
  expect(() => withChanges(shrunk('micro+16'), { keep_schedule: [1, 0] })).toThrow(/keep_schedule/)
})
