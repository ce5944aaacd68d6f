import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Engine } from '../../src/engine/engine.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import { programOf } from '../../src/models/model-definition.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { MaskEngine } from '../../src/tasks/segment/mask-engine.js'
import { expectClose } from '../support/expect-close.js'

const fixtures = fileURLToPath(new URL('../fixtures/segment/', import.meta.url))

interface Answer {
  readonly masks: readonly number[]
  readonly iou: readonly number[]
}

interface Expected {
  readonly embedding: readonly number[]
  readonly points: Answer
  readonly box: Answer
}

const all = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Record<string, Expected>

// as make.py has them
const side = 64
const pixels = Float32Array.from({ length: 3 * side * side }, (_, at) => ((at * 37) % 101) / 64 - 0.75)
const asked = {
  points: { points: Float32Array.of(20, 30, 50, 9.5), labels: Float32Array.of(1, 0) },
  box: { boxes: Float32Array.of(5, 8, 40.5, 60) },
}

describe.each(Object.entries(all))('%s, as whoever made it computes it', (name, expected) => {
  test('embedding of pixels, masks and predicted IoUs of points and of a box', async () => {
    const files = await openModel(join(fixtures, name))
    const runtime = await nativeRuntime()
    const parts = { architecture: files.architecture, weights: files.weights, runtime }
    await using encoder = await Engine.load(parts, (model) => programOf(model, 'encode'))
    const { outputs } = await encoder.run({ batch: 1, inputs: { pixel_values: pixels } })
    const embedding = outputs.image_embeddings?.values as Float32Array
    // float32 over other orders of sums; values of about 1
    expectClose(embedding, Float32Array.from(expected.embedding), { atol: 1e-5, rtol: 1e-4 })
    await using engine = new MaskEngine(files, { runtime, reason: 'for a test' })
    for (const kind of ['points', 'box'] as const) {
      const answer = await engine.decode(embedding, { count: 1, ...asked[kind] })
      const { masks, iou } = expected[kind]
      expectClose(answer.logits, Float32Array.from(masks), { atol: 1e-4, rtol: 1e-4 })
      expectClose(answer.iouPredictions, Float32Array.from(iou), { atol: 1e-4, rtol: 1e-4 })
    }
  })

  test('nothing has to be assumed of how pictures are prepared', async () => {
    expect((await openModel(join(fixtures, name))).assumptions).toEqual([])
  })
})
