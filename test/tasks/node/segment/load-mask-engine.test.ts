import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { defined } from '../../../../src/base/assert.js'
import { initialise } from '../../../../src/model-store/initialise.js'
import { writeModelFolder } from '../../../../src/model-store/node/write-model-folder.js'
import { presets } from '../../../../src/models/index.js'
import { loadMaskEngine } from '../../../../src/tasks/node/segment/load-mask-engine.js'
import { temporaryFolder } from '../../../support/temporary-folder.js'

const folder = temporaryFolder()
const model = join(folder, 'sam-micro')
const pixels = { width: 40, height: 30, values: Uint8Array.from({ length: 3600 }, (_, at) => (at * 7) % 256) }

beforeAll(async () => {
  for (const name of ['sam-micro', 'vit-micro']) {
    await writeModelFolder(join(folder, name), initialise(defined(presets[name], name)), { card: name })
  }
})

describe('a model that cuts things out of pictures, from its folder', () => {
  test('answers each prompt as if it were asked alone, however many there are', async () => {
    await using engine = await loadMaskEngine(model)
    const { embedding, original, resized } = await engine.encode(pixels)
    expect([original, resized]).toEqual([
      { width: 40, height: 30 },
      { width: 128, height: 96 },
    ])
    const count = 70
    const points = Float32Array.from({ length: 2 * count }, (_, at) => (at * 13) % 100)
    const labels = new Float32Array(count).fill(1)
    const all = await engine.decode(embedding, { count, points, labels })
    expect(all).toMatchObject({ count, masks: 3, rows: 32, columns: 32 })
    for (const prompt of [0, 63, 64, 69]) {
      const alone = await engine.decode(embedding, {
        count: 1,
        points: points.slice(2 * prompt, 2 * prompt + 2),
        labels: labels.slice(0, 1),
      })
      const each = alone.logits.length
      const apart = alone.logits.map((logit, at) =>
        Math.abs(logit - defined(all.logits[prompt * each + at], 'a logit')),
      )
      expect(apart.reduce((most, x) => Math.max(most, x), 0)).toBeLessThan(1e-5)
    }
    expect(await engine.decode(embedding, { count: 0 })).toMatchObject({ count: 0, masks: 0 })
  })

  test('says what is wrong about prompts and embeddings', async () => {
    await using engine = await loadMaskEngine(model)
    const { embedding } = await engine.encode(pixels)
    const one = Float32Array.of(1)
    const ask = (prompts: object, from = embedding) => engine.decode(from, { count: 1, ...prompts })
    await expect(ask({})).rejects.toThrow('Prompts need points, boxes or masks')
    await expect(ask({ points: Float32Array.of(1, 2) })).rejects.toThrow('Points need labels')
    await expect(ask({ points: Float32Array.of(Number.NaN, 2), labels: one })).rejects.toThrow(
      'points is NaN',
    )
    await expect(ask({ points: Float32Array.of(1, 2), labels: Float32Array.of(5) })).rejects.toThrow(
      'label is 5',
    )
    await expect(ask({ boxes: Float32Array.of(1, 2, 3) })).rejects.toThrow('[1, 4] are 4')
    await expect(ask({ masks: new Float32Array(5) })).rejects.toThrow('[1, 32, 32]')
    await expect(ask({ boxes: new Float32Array(4) }, new Float32Array(3))).rejects.toThrow('another model')
  })

  test('is refused where a model has no masks', async () => {
    await expect(loadMaskEngine(join(folder, 'vit-micro'))).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })
})
