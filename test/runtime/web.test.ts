import { expect, test } from 'vitest'
import { Engine } from '../../src/engine/engine.js'
import { programOf } from '../../src/models/model-definition.js'
import { webRuntime } from '../../src/runtime/web.js'
import { feedsOf, randomModel, randomPixels, shrunk } from '../support/tiny-models.js'

test('models that are loaded and run at once on WebAssembly have each its own weights', async () => {
  const architecture = shrunk('micro+16')
  const pictures = feedsOf(randomPixels(architecture))
  const answerOf = async (seed: number) => {
    const { weights } = randomModel(architecture, { seed })
    await using engine = await Engine.load({ architecture, weights, runtime: await webRuntime() }, (model) =>
      programOf(model, 'classify'),
    )
    const { outputs } = await engine.run(pictures)
    return Array.from(outputs.logits?.values ?? [], Number)
  }
  const seeds = [1, 2, 3]
  const alone: number[][] = []
  for (const seed of seeds) alone.push(await answerOf(seed))
  expect(new Set(alone.map(String)).size).toBe(seeds.length)
  expect(await Promise.all(seeds.map(answerOf))).toEqual(alone)
})
