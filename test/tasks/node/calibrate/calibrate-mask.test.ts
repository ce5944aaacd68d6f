import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { nodeDecoder } from '../../../../src/image/node/decode.js'
import { firstAttention } from '../../../../src/reduction/atf.js'
import { readTokenMask } from '../../../../src/reduction/token-mask.js'
import { chooseRuntime } from '../../../../src/runtime/node/choose.js'
import { Model } from '../../../../src/tasks/model.js'
import { calibrateTokenMask } from '../../../../src/tasks/node/calibrate/calibrate-mask.js'
import { readFloats } from '../../../../src/weights/read-floats.js'
import { evaluateTensors } from '../../../support/evaluate.js'
import { expectClose } from '../../../support/expect-close.js'
import { temporaryFolder } from '../../../support/temporary-folder.js'
import { randomModel, shrunk } from '../../../support/tiny-models.js'

const examples = fileURLToPath(new URL('../../../../examples', import.meta.url))
const names = ['fire-engine', 'fly', 'hummingbird', 'kite', 'traffic-light', 'yurt']

test.each([
  ['a class token', 'vit-tiny', 1],
  ['a class and a distillation token', 'deit-tiny-distilled', 2],
])('what patches receive behind %s is what the float64 interpreter says', async (_, preset, prefix) => {
  const architecture = shrunk(preset, { rows: 3, columns: 2 })
  const files = randomModel(architecture)
  await using model = new Model('tiny', files, await chooseRuntime('cpu'), { decoder: nodeDecoder })
  const progress: number[] = []
  const { mask, failures } = await calibrateTokenMask(model, examples, {
    onProgress: ({ done, total }) => progress.push(done / total),
  })
  expect(failures).toEqual([])
  expect(progress).toEqual([1, 2, 3, 4, 5, 6].map((done) => done / 6))

  const leaves = Object.fromEntries(
    await Promise.all(
      [...files.weights].map(async ([name, tensor]) => {
        return [name, { shape: tensor.shape, data: Float64Array.from(await readFloats(tensor)) }] as const
      }),
    ),
  )
  const tokens = prefix + 6
  const means = new Float64Array(tokens)
  for (const name of names) {
    const data = Float64Array.from(await model.prepare(`${examples}/${name}.jpg`))
    const pixels = { pixel_values: { shape: [1, 3, 12, 8], data } }
    const [map] = evaluateTensors([firstAttention(architecture)], { ...leaves, ...pixels }, { batch: 1 })
    expect(map?.shape).toEqual([1, 3, tokens, tokens])
    map?.data.forEach((value, at) => {
      means[at % tokens] = (means[at % tokens] ?? 0) + value / (3 * tokens * names.length)
    })
  }
  // the engine's maps are float32
  expectClose(mask.calibration?.attentionReceived ?? [], means, { atol: 1e-6 })
  const patches = Array.from(means.subarray(prefix))
  const mean = patches.reduce((a, b) => a + b) / 6
  expect(readTokenMask(mask, 'mask').static).toEqual(patches.map((value) => value > mean))
  expect(mask.calibration).toMatchObject({
    prefixTokens: prefix,
    pictures: 6,
    fingerprint: await model.fingerprint(),
  })
})

test('so many pictures are drawn by the seed; what can’t be used is left out; nothing to use is an error', async () => {
  const files = randomModel(shrunk('vit-tiny', { rows: 2, columns: 2 }))
  await using model = new Model('tiny', files, await chooseRuntime('cpu'), { decoder: nodeDecoder })
  const drawn = async (options: { pictures?: number; seed?: number; threshold?: 'all' }) =>
    (await calibrateTokenMask(model, examples, options)).mask.calibration
  const two = await drawn({ pictures: 2, seed: 3 })
  expect(two).toMatchObject({ pictures: 2, seed: 3, threshold: 'patches' })
  expect(await drawn({ pictures: 2, seed: 3 })).toEqual(two)
  const received = (seed: number) => drawn({ pictures: 2, seed }).then((found) => found?.attentionReceived)
  const others = await Promise.all([4, 5, 6].map(received))
  expect(others.some((other) => other?.join() !== two?.attentionReceived.join())).toBe(true)
  // of six there are no seven
  expect((await drawn({ pictures: 7 }))?.pictures).toBe(6)

  const folder = temporaryFolder()
  writeFileSync(join(folder, 'broken.jpg'), 'no picture')
  await expect(calibrateTokenMask(model, folder)).rejects.toMatchObject({
    code: 'BAD_DATA',
    message: expect.stringMatching(/^None of the 1 pictures of .* can be used\. The first: .*broken\.jpg/),
  })
  copyFileSync(join(examples, 'fly.jpg'), join(folder, 'fly.jpg'))
  const { mask, failures } = await calibrateTokenMask(model, folder)
  expect(failures.map(({ name }) => name)).toEqual(['broken.jpg'])
  expect(mask.calibration?.pictures).toBe(1)
})
