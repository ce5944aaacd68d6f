import { readFileSync } from 'node:fs'
import { describe, test } from 'vitest'
import { load } from '../../src/tasks/node/load.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'

interface Reference {
  images: string[]
}

const valFolder = shared('imagenet-val-650')

describe.skipIf(!hasSharedData)(`real checkpoints against torch${withoutSharedData}`, () => {
  test.each(['vit_tiny_patch16_224', 'deit_tiny_patch16_224'])(
    '%s: logits from pixels of our own decoder and resize',
    async (name) => {
      const reference: Reference = JSON.parse(readFileSync(shared(`reference/${name}.json`), 'utf8'))
      const golden = await readGolden(shared(`reference/${name}.safetensors`))
      await using model = await load(shared(`weights/${name}`))
      const prepared = await Promise.all(
        reference.images.map((file) => model.prepare(`${valFolder}/${file}`)),
      )
      const pixels = golden.floats('in/pixels')
      const size = pixels.length / prepared.length
      prepared.forEach((picture, row) => {
        // float32 rounding of (x/255 − mean)/std, nothing else
        expectClose(picture, pixels.subarray(row * size, (row + 1) * size), { atol: 1e-6 })
      })
      expectClose(await model.logits(prepared), golden.floats('out/logits'), { atol: 1e-3 })
    },
  )
})
