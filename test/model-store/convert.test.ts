import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { Engine } from '../../src/engine/engine.js'
import { convert } from '../../src/model-store/convert.js'
import { atImageSize } from '../../src/model-store/image-size.js'
import type { ModelFiles } from '../../src/model-store/model-files.js'
import { presets, readArchitecture, withChanges } from '../../src/models/index.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { traceProgram } from '../../src/tasks/trace/trace.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { expectClose } from '../support/expect-close.js'
import { outputsOf, randomFeeds, randomModel, shrunk, zeroed } from '../support/tiny-models.js'

/** Each routing preset with the ViT that its P-block is. */
const pairs = {
  'b+t': 'vit-base',
  'h+b': 'vit-huge',
  's+96': 'vit-small',
  't+48': 'vit-tiny',
  'micro+16': 'vit-micro',
} as const

async function logitsOf(files: ModelFiles, options: { keepRatio?: number; count?: number } = {}) {
  const runtime = await nativeRuntime()
  const { architecture, weights } = files
  await using engine = await Engine.load({ architecture, weights, runtime }, traceProgram.outputs)
  const { count = 1, ...run } = options
  return (await engine.run(randomFeeds(architecture, { count }), run)).outputs
}

function floats(values: ArrayLike<number | bigint> | undefined): number[] {
  return Array.from(values ?? [], Number)
}

describe('conversion', () => {
  test('covers every preset that routes and classifies', () => {
    // Segment Anything's are converted in sam-checkpoint.test.ts
    const routing = Object.entries(presets).filter(
      ([, preset]) => preset.settings.keepRatio !== undefined && !preset.usualRun,
    )
    expect(routing.map(([name]) => name).sort()).toEqual(Object.keys(pairs).sort())
  })

  test.each(Object.entries(pairs))('%s at keep ratio 1 and γ = 0 equals %s', async (routing, plain) => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          rows: fc.integer({ min: 2, max: 4 }),
          columns: fc.integer({ min: 2, max: 4 }),
          distilled: fc.boolean(),
          seed: fc.nat(1000),
        }),
        async ({ seed, ...size }) => {
          const vit = randomModel(shrunk(plain, size), { seed })
          const { files } = await convert(vit, shrunk(routing, size), { seed })
          const converted = zeroed(files, /gamma/)
          const expected = floats((await logitsOf(vit)).logits?.values)
          const actual = floats((await logitsOf(converted, { keepRatio: 1 })).logits?.values)
          // float32 sums in another order over up to 32 layers
          expectClose(actual, expected, { atol: 1e-5, rtol: 1e-5 })
        },
      ),
      // of 32 layers two draws take as long as four of 12 do
      { numRuns: routing === 'h+b' ? 2 : 4 },
    )
  })

  test('with keep ratio r exactly ⌊r·M⌋ patches are primary, each patch stands once in the order', async () => {
    const architecture = shrunk('t+48', { rows: 5, columns: 5 })
    const files = randomModel(architecture)
    const runtime = await nativeRuntime()
    const { weights } = files
    await using engine = await Engine.load({ architecture, weights, runtime }, (model) => ({
      ...traceProgram.outputs(model),
      features: outputsOf(model).features,
    }))
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 1 / 25, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 3 }),
        async (keepRatio, count) => {
          const { outputs } = await engine.run(randomFeeds(architecture, { count }), { keepRatio })
          for (let index = 0; index < 4; index++) {
            const order = floats(outputs[`event${index}.order`]?.values)
            const scores = floats(outputs[`event${index}.scores`]?.values)
            expect(order).toHaveLength(25 * count)
            for (let row = 0; row < count; row++) {
              const patches = order.slice(25 * row, 25 * (row + 1))
              expect([...patches].sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => i))
              const own = scores.slice(25 * row, 25 * (row + 1))
              const kept = Math.floor(keepRatio * 25)
              const lowestKept = Math.min(...patches.slice(0, kept).map((patch) => own[patch] ?? Number.NaN))
              const highestLeft = Math.max(...patches.slice(kept).map((patch) => own[patch] ?? Number.NaN))
              expect(lowestKept).toBeGreaterThanOrEqual(kept === 25 ? Number.NEGATIVE_INFINITY : highestLeft)
            }
          }
          expect(outputs.features?.shape).toEqual([count, 26, architecture.json.embed_dim])
        },
      ),
      { numRuns: 15 },
    )
  })

  test('equal scores go to the lower patch index, after the first selection too', async () => {
    const architecture = shrunk('t+48', { rows: 4, columns: 4 })
    const files = zeroed(randomModel(architecture), /^predictors\./)
    const outputs = await logitsOf(files, { keepRatio: 0.5, count: 2 })
    const ascending = Array.from({ length: 16 }, (_, i) => i)
    for (let index = 0; index < 4; index++) {
      expect(floats(outputs[`event${index}.order`]?.values)).toEqual([...ascending, ...ascending])
    }
  })

  test('random selection is the seed’s and the picture’s: another for each picture, the same wherever the picture stands', async () => {
    const architecture = shrunk('t+48', { selection: 'random' })
    const files = randomModel(architecture)
    const together = await logitsOf(files, { count: 2 })
    const [first = [], second = []] = [
      floats(together['event0.order']?.values).slice(0, 12),
      floats(together['event0.order']?.values).slice(12),
    ]
    expect(first).not.toEqual(second)
    expect(floats((await logitsOf(files))['event0.order']?.values)).toEqual(first)
    expect(floats(together['event1.order']?.values).slice(0, 12)).not.toEqual(first)
  })

  test('fresh parameters start as spec §3 says and don’t depend on what else is drawn', async () => {
    const vit = randomModel(shrunk('vit-tiny'))
    const { files, fresh, copied, dropped } = await convert(vit, shrunk('t+48'))
    expect(dropped).toEqual([])
    expect(copied).toHaveLength(vit.weights.size)
    expect(fresh.every((name) => /alpha|gamma|little|predictors/.test(name))).toBe(true)
    const zeroStart = await convert(
      vit,
      shrunk('t+48', { little: { ...littleOf('t+48'), initialisation: 'zero' } }),
    )
    const bytes = async (source: ModelFiles, name: string) => {
      const segment = source.weights.get(name)?.segments[0]
      return new Float32Array(
        (await segment?.source.read(0, segment.sizeBytes))?.slice().buffer ?? new ArrayBuffer(0),
      )
    }
    expect(await bytes(files, 'blocks.3.gamma1')).toEqual(Float32Array.of(1e-5))
    expect(await bytes(files, 'blocks.3.alpha2')).toEqual(Float32Array.of(0))
    expect((await bytes(zeroStart.files, 'blocks.3.little.mlp.up.weight')).every((x) => x === 0)).toBe(true)
    expect(await bytes(zeroStart.files, 'blocks.3.little.mlp.fc1.weight')).toEqual(
      await bytes(files, 'blocks.3.little.mlp.fc1.weight'),
    )
  })

  test('a P-block of another size is refused with the configuration that fits', async () => {
    const vit = randomModel(shrunk('vit-micro'))
    const converted = convert(vit, withChanges(shrunk('b+t'), {}), { name: 'b+t' })
    await expect(converted).rejects.toThrow(
      /b\+t doesn't fit these weights: the model has embed_dim 16, not 48/,
    )
  })
})

describe('keys of the configuration that are set', () => {
  const vit = randomModel(shrunk('vit-micro'))
  const target = () => shrunk('micro+16')
  const numbers = async ({ weights }: ModelFiles, name: string) =>
    readFloats(defined(weights.get(name), name))

  test('another image size resamples the position embedding as running at that size does', async () => {
    const { files, copied, fresh } = await convert(vit, target(), { set: { image_size: 24 } })
    const resized = await atImageSize(vit, 24)
    expect(copied).toContain('pos_embed')
    expect(fresh).not.toContain('pos_embed')
    expect(await numbers(files, 'pos_embed')).toEqual(await numbers(resized, 'pos_embed'))
    expect(files.preprocessing).toMatchObject({ height: 24, width: 24 })
  })

  test('other classes get a new head, numbered labels, and are not told as overruled', async () => {
    const { files, fresh, overruled } = await convert(vit, target(), { set: { num_classes: 2 } })
    expect(files.architecture.classes).toBe(2)
    expect(files.labels).toEqual(['class 0', 'class 1'])
    expect(files.assumptions).toEqual(['nothing names the 2 classes of the new head: they are numbered'])
    expect(fresh).toEqual(expect.arrayContaining(['head.weight', 'head.bias']))
    expect(overruled).toEqual([])
  })

  test('a new head of 1000 classes gets ImageNet’s names, and says so; the head that was there keeps its own', async () => {
    const { files } = await convert(vit, target(), { set: { num_classes: 1000 } })
    expect(files.labels[94]).toBe('hummingbird')
    expect(files.assumptions).toEqual([
      'nothing names the 1000 classes of the new head: they are taken for those of ImageNet-1k',
    ])
    const kept = await convert(vit, target())
    expect(kept.files.labels).toEqual(vit.labels)
    expect(kept.files.assumptions).toEqual(vit.assumptions)
  })

  test('what the weights decide and nobody sets is told', async () => {
    const { overruled } = await convert(vit, withChanges(target(), { num_classes: 7 }))
    expect(overruled).toEqual([{ key: 'num_classes', source: 5, target: 7 }])
  })

  test('a distillation token comes with a row of its own, and takes it away', async () => {
    const { files, fresh } = await convert(vit, target(), { set: { distilled: true } })
    expect(fresh).toEqual(expect.arrayContaining(['dist_token', 'head_dist.weight', 'head_dist.bias']))
    const width = files.architecture.facts.width
    const own = await numbers(vit, 'pos_embed')
    const moved = await numbers(files, 'pos_embed')
    expect(moved.subarray(0, width)).toEqual(own.subarray(0, width))
    expect(moved.subarray(2 * width)).toEqual(own.subarray(width))
    const back = await convert({ ...files, architecture: files.architecture }, files.architecture, {
      set: { distilled: false },
    })
    expect(await numbers(back.files, 'pos_embed')).toEqual(own)
    expect(back.dropped).toEqual(expect.arrayContaining(['dist_token', 'head_dist.weight', 'head_dist.bias']))
  })

  test('epsilon is as it is set; sizes that the weights have are refused by name', async () => {
    const { files } = await convert(vit, target(), { set: { layer_norm_eps: 0.001 } })
    expect(files.architecture.json.layer_norm_eps).toBe(0.001)
    await expect(convert(vit, target(), { set: { depth: 5 } })).rejects.toThrow(/depth 4, not 5/)
    await expect(convert(vit, target(), { set: { class_count: 4 } })).rejects.toThrow(
      /no setting "class_count"/,
    )
  })
})

test('switches of the ViT inside go with its weights', async () => {
  const vit = randomModel(
    readArchitecture({
      ...shrunk('vit-micro').json,
      ...{ init_values: 1e-5, reg_tokens: 2, qkv_bias: false },
    }),
  )
  const { files, dropped } = await convert(vit, shrunk('micro+16'))
  expect(dropped).toEqual([])
  expect(files.architecture.json).toMatchObject({ init_values: 1e-5, reg_tokens: 2, qkv_bias: false })
})

function littleOf(name: 't+48') {
  return shrunk(name).json.little as Record<string, unknown>
}
