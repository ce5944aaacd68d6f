import { describe, expect, test } from 'vitest'
import { parseWith } from '../../../src/base/parse.js'
import { nodeDecoder } from '../../../src/image/node/decode.js'
import type { ModelFiles } from '../../../src/model-store/model-files.js'
import { chooseRuntime } from '../../../src/runtime/node/choose.js'
import { resolveSettings } from '../../../src/settings/resolve.js'
import { Model } from '../../../src/tasks/model.js'
import { assertTraceable, type TraceOptions } from '../../../src/tasks/trace/trace.js'
import { traceJson, traceJsonSchema } from '../../../src/tasks/trace/trace-json.js'
import type { Trace } from '../../../src/tasks/trace/traced-steps.js'
import { randomModel, shrunk } from '../../support/tiny-models.js'

const picture = {
  height: 30,
  width: 40,
  values: Uint8Array.from({ length: 3 * 30 * 40 }, (_, i) => (i * 37 + (i >> 5) * 91) % 256),
}

async function traceWith(files: ModelFiles, options: TraceOptions = {}): Promise<Trace> {
  const { runtime } = await chooseRuntime('cpu')
  await using model = new Model(
    'tiny',
    files,
    { runtime, reason: 'a test' },
    { threads: 1, decoder: nodeDecoder },
  )
  return await model.trace(picture, options)
}

describe('a trace', () => {
  const tiny = randomModel(shrunk('t+48'))

  test.each([
    [0.25, 3],
    [0.3, 3],
    [0.5, 6],
    [1, 12],
  ])('at keep ratio %f each step sends ⌊r·M⌋ = %i of 12 patches', async (keepRatio, kept) => {
    const { steps } = await traceWith(tiny, { keepRatio })
    expect(steps.map(({ big }) => big?.length)).toEqual([kept, kept, kept, kept])
  })

  test('the big path is taken by the patches with the highest scores, ascending', async () => {
    const { steps } = await traceWith(tiny, { keepRatio: 0.5 })
    for (const { big, scores = [] } of steps) {
      expect(scores).toHaveLength(12)
      const ranked = scores.map((_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
      expect(big).toEqual(ranked.slice(0, 6).sort((a, b) => a - b))
    }
  })

  test('names the layers that each selection decides about', async () => {
    const { steps } = await traceWith(tiny)
    expect(steps.map(({ afterLayer, layers }) => [afterLayer, layers])).toEqual([
      [1, [2, 3, 4]],
      [4, [5, 6, 7]],
      [7, [8, 9, 10]],
      [10, [11, 12]],
    ])
  })

  test('a selection before the last full layer decides about no full layer', async () => {
    const little = { embed_dim: 4, num_heads: 1, layers: [7, 9] }
    const late = shrunk('t+48', { full_layers: 6, predictor_after: [2, 5, 8], little })
    const { steps } = await traceWith(randomModel(late))
    expect(steps.map(({ layers }) => layers)).toEqual([[], [7, 8], [9, 10, 11, 12]])
  })

  test('shows the picture as the model saw it', async () => {
    const { picture: seen, grid, patchSize } = await traceWith(tiny)
    expect([seen.height, seen.width]).toEqual([grid.rows * patchSize, grid.columns * patchSize])
  })

  test('as JSON it is what the schema says, text and back', async () => {
    const trace = await traceWith(tiny, { top: 2 })
    const json = traceJson(trace, { model: { name: 'tiny', ...tiny }, picture: 'photo.jpg' })
    expect(parseWith(traceJsonSchema, JSON.parse(JSON.stringify(json)), 'the trace')).toEqual(json)
    expect(json).toMatchObject({
      version: 2,
      model: 'tiny',
      picture: 'photo.jpg',
      image: { height: 12, width: 16 },
      patchSize: 4,
      grid: { rows: 3, columns: 4 },
      setting: 'keep ratio 0.25',
      prefixTokens: 1,
    })
    expect(json.steps.map(({ route }) => route?.big.length)).toEqual([3, 3, 3, 3])
    expect(json.top).toHaveLength(2)
  })
})

describe('a trace of a reduction', () => {
  const plain = randomModel(shrunk('vit-tiny'))
  const traced = async (reduce: string) => {
    const trace = await traceWith(plain, { reduce })
    const json = traceJson(trace, { model: { name: 'tiny', ...plain }, picture: 'photo.jpg' })
    return parseWith(traceJsonSchema, json, 'the trace') // which wants partitions
  }

  test('EViT keeps ⌈r·N⌉ tokens and one more, in layers 4, 7 and 10', async () => {
    const { steps, setting } = await traced('evit:0.5')
    expect(setting).toBe('evit:0.5')
    expect(steps.map(({ afterLayer, tokens }) => [afterLayer, tokens])).toEqual([
      [4, 7],
      [7, 5],
      [10, 4],
    ])
    expect(steps[0]).toMatchObject({ merged: [], dropped: [] })
    expect(steps[0]?.kept).toHaveLength(6)
    expect(steps[0]?.fused.flat()).toHaveLength(6)
  })

  test('ToMe merges r in every layer while it can', async () => {
    const { steps } = await traced('tome:2')
    expect(steps.map(({ tokens }) => tokens).slice(0, 5)).toEqual([10, 8, 6, 4, 2])
    for (const { fused, dropped } of steps) expect([fused, dropped]).toEqual([[], []])
  })

  test.each(['top-k:0.5', 'random:0.5', 'evit:0.5,fuse=false'])(
    '%s drops half, three times',
    async (reduce) => {
      const { steps } = await traced(reduce)
      expect(steps.map(({ kept, dropped }) => [kept.length, dropped.length])).toEqual([
        [6, 6],
        [3, 9],
        [2, 10],
      ])
      const [first, second] = steps
      expect(first?.kept).toEqual(expect.arrayContaining(second?.kept ?? []))
    },
  )
})

test('a plain ViT has nothing to draw', () => {
  const plain = randomModel(shrunk('vit-tiny'))
  const resolve = () => resolveSettings(plain.architecture)
  expect(() => assertTraceable({ name: 'vit-tiny', ...plain, resolve })).toThrow(
    expect.objectContaining({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/vit-tiny is a plain vit/),
    }),
  )
})
