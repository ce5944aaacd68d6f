import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { classifyMany } from '../../src/tasks/node/answer-many.js'
import { load } from '../../src/tasks/node/load.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'

interface Reference {
  images: string[]
  correct_top1_of_650: number
  correct_top5_of_650: number
}

const valFolder = shared('imagenet-val-650')

function validationSet(): { file: string; label: number }[] {
  const [, ...lines] = readFileSync(`${valFolder}/labels.csv`, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [file = '', label = ''] = line.split(',')
    return { file, label: Number(label) }
  })
}

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

  test.each(['vit_tiny_patch16_224', 'deit_tiny_patch16_224'])(
    '%s: as many of the 650 validation pictures right as with torch',
    async (name) => {
      const reference: Reference = JSON.parse(readFileSync(shared(`reference/${name}.json`), 'utf8'))
      await using model = await load(shared(`weights/${name}`))
      const set = validationSet()
      const pictures = set.map(({ file }) => ({ name: file, source: `${valFolder}/${file}` }))
      let right = 0
      let rightOfFive = 0
      let row = 0
      for await (const result of classifyMany(model, pictures, { batch: 8 })) {
        if ('error' in result) throw result.error
        const label = set[row++]?.label
        const { top } = result.classification
        if (top[0]?.index === label) right += 1
        if (top.some(({ index }) => index === label)) rightOfFive += 1
      }
      console.log(`${name}: ${right} of 650 right, ${rightOfFive} among the first five`)
      expect(Math.abs(right - reference.correct_top1_of_650)).toBeLessThanOrEqual(2)
      expect(Math.abs(rightOfFive - reference.correct_top5_of_650)).toBeLessThanOrEqual(2)
    },
  )
})
