import { describe, expect, test } from 'vitest'
import { Engine } from '../../src/engine/engine.js'
import { convert } from '../../src/model-store/convert.js'
import type { ModelFiles } from '../../src/model-store/model-files.js'
import { withChanges } from '../../src/models/index.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { resolveSettings } from '../../src/settings/resolve.js'
import type { Settings } from '../../src/settings/settings.js'
import { resamplePositionEmbedding } from '../../src/weights/position-embedding.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { outputsOf, randomFeeds, randomModel, shrunk } from '../support/tiny-models.js'

async function outputs(files: ModelFiles, settings: Settings = {}) {
  const { architecture, weights } = files
  const runtime = await nativeRuntime()
  await using engine = await Engine.load({ architecture, weights, runtime }, outputsOf, { threads: 1 })
  const { architecture: run } = resolveSettings(architecture, settings)
  const { outputs } = await engine.run(randomFeeds(run, { count: 2 }), settings)
  return Object.fromEntries(Object.entries(outputs).map(([name, { values }]) => [name, values]))
}

const square = { rows: 4, columns: 4 }

describe('another image size', () => {
  test.each([
    ['vit-tiny', 8],
    ['vit-tiny', 24],
    ['deit-tiny-distilled', 12],
    ['t+48', 12],
  ])('%s at %i pixels is the model converted to that size, to the bit', async (name, side) => {
    const files = randomModel(shrunk(name, square))
    const converted = await convert(files, files.architecture, { set: { image_size: side } })
    expect(converted.files.architecture.image).toEqual({ height: side, width: side })
    expect(await outputs(files, { imageSize: side })).toEqual(await outputs(converted.files))
  })

  test('the position embedding is resampled as the model’s own library does', async () => {
    const files = randomModel(shrunk('vit-tiny', square))
    const { facts, json } = files.architecture
    const plainly = withChanges(
      // a key that only models from transformers have
      { ...files.architecture, json: { ...json, pos_embed_resampling: 'bicubic' } },
      {},
    )
    const stored = files.weights.get('pos_embed')
    if (!stored) throw new Error('no position embedding')
    const resampled = resamplePositionEmbedding(await readFloats(stored), {
      ...{ prefix: 1, width: facts.width, antialias: false },
      from: [4, 4],
      to: [2, 2],
    })
    const expected = {
      ...files,
      architecture: withChanges(files.architecture, { image_size: 8 }),
      weights: new Map(files.weights).set('pos_embed', storedFrom(resampled, [1, 5, facts.width])),
    }
    const asTimm = await outputs(files, { imageSize: 8 })
    expect(await outputs({ ...files, architecture: plainly }, { imageSize: 8 })).toEqual(
      await outputs(expected),
    )
    expect(asTimm).not.toEqual(await outputs(expected))
  })

  test('what is counted in patches is counted in those that there are', () => {
    const routed = shrunk('t+48', { rows: 8, columns: 8 })
    expect(resolveSettings(routed, { imageSize: 16, keepRatio: 0.5 })).toMatchObject({
      key: 'image size 16, keep ratio 0.5',
      sizes: { kept: 8 },
    })
  })
})

describe('the first layers', () => {
  test('all of them are the plain model', async () => {
    const files = randomModel(shrunk('vit-tiny'))
    expect(resolveSettings(files.architecture, { firstLayers: 12 })).toMatchObject({
      key: 'plain',
      buildKey: '',
      architecture: files.architecture,
    })
    expect(await outputs(files, { firstLayers: 12 })).toEqual(await outputs(files))
  })

  test('some of them are a model that never had the others', async () => {
    const files = randomModel(shrunk('vit-tiny'))
    const shallow = withChanges(files.architecture, { depth: 3 })
    const weights = new Map([...files.weights].filter(([name]) => !/^blocks\.([3-9]|1\d)\./.test(name)))
    expect(weights.size).toBe(files.weights.size - 9 * 12)
    expect(await outputs(files, { firstLayers: 3 })).toEqual(
      await outputs({ ...files, architecture: shallow, weights }),
    )
  })

  test('a reduction reckons with the layers that are left', () => {
    const { architecture } = randomModel(shrunk('vit-tiny', { rows: 8, columns: 8 }))
    expect(resolveSettings(architecture, { firstLayers: 6, imageSize: 16, reduce: 'tome:8' }).key).toBe(
      'first 6 layers, image size 16, tome:8',
    )
    // of 4 × 4 patches at most 8 merge into the others
    expect(() => resolveSettings(architecture, { imageSize: 16, reduce: 'tome:9' })).toThrow(
      /of 16 patches at most 8 can/,
    )
    expect(() => resolveSettings(architecture, { firstLayers: 6, reduce: 'evit:0.5,blocks=6' })).toThrow(
      /blocks are 0 to 5/,
    )
  })
})

test.each<[string, object, RegExp]>([
  ['vit-tiny', { imageSize: 225 }, /image_size=225 is not possible: .* patch_size 16\..* e\.g\. 224 or 240/],
  ['vit-tiny', { imageSize: 9 }, /not a multiple of patch_size 16\..* e\.g\. 16/],
  ['vit-tiny', { imageSize: 0 }, /Image size 0 is not a whole number of pixels/],
  ['vit-tiny', { imageSize: 192.5 }, /Image size 192\.5 is not a whole number/],
  ['vit-tiny', { imageSize: '192' }, /Image size 192 is not a whole number/],
  ['vit-tiny', { firstLayers: 13 }, /has 12 layers, .* a number from 1 to 12/],
  ['vit-tiny', { firstLayers: 0 }, /First layers 0 is not a whole number/],
  ['t+48', { firstLayers: 6 }, /Layers of a blvit don't all do the same/],
])('%s can’t take %j', (name, settings, complaint) => {
  const architecture = shrunk(name, { image_size: 224, patch_size: 16 })
  expect(() => resolveSettings(architecture, settings as Settings)).toThrow(
    expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringMatching(complaint) }),
  )
})
