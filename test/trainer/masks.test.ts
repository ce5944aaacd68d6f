import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { openModel } from '../../src/model-store/node/open-model.js'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import { findRecipe } from '../../src/trainer/find-recipe.js'
import { train } from '../../src/trainer/train.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { writeMarkedPictures } from '../support/marked-pictures.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { randomModel } from '../support/tiny-models.js'
import { tinySam } from '../support/tiny-sam.js'

const folder = temporaryFolder()
const [sam, marked] = [join(folder, 'sam'), join(folder, 'marked')]

beforeAll(async () => {
  await writeModelFolder(sam, randomModel(tinySam()), { card: '' })
  await writeMarkedPictures(marked)
})

/** Names of the parameters that two models have different numbers for. */
async function changed(one: string, other: string): Promise<string[]> {
  const [before, after] = [await openModel(one), await openModel(other)]
  const names: string[] = []
  for (const [name, tensor] of before.weights) {
    const now = after.weights.get(name)
    const [a, b] = [await readFloats(tensor), now ? await readFloats(now) : new Float32Array()]
    if (a.some((value, at) => value !== b[at])) names.push(name)
  }
  return names
}

test('masks are learned from pictures in COCO’s form, all but the convolutions over mask prompts', async () => {
  const recipe = await findRecipe('segment', { pictures: 96, batch: 8 })
  const output = join(folder, 'learned')
  const { reports } = await train(sam, marked, recipe, { output, threads: 1 })
  const [report] = reports
  expect(Object.keys(report?.losses ?? {}).sort()).toEqual([
    'gradient_norm',
    'iou',
    'loss',
    'masks',
    'overlap',
  ])
  const names = await changed(sam, output)
  expect(names).toContain('image_encoder.blocks.0.attn.rel_pos_h')
  expect(names).toContain('mask_decoder.iou_prediction_head.layers.2.weight')
  expect(names.filter((name) => /mask_downscaling|gaussian/.test(name))).toEqual([])
})

test('an encoder learns from embeddings alone, and nothing else does', async () => {
  const recipe = await findRecipe('distill-encoder', { pictures: 16, batch: 4 })
  const output = join(folder, 'encoder')
  const teacher = join(folder, 'teacher')
  await writeModelFolder(teacher, randomModel(tinySam(), { seed: 9 }), { card: '' })
  // pictures that nobody marked do as well
  await train(sam, join(marked, 'images'), recipe, { output, teacher, threads: 1 })
  const names = await changed(sam, output)
  expect(names.length).toBeGreaterThan(20)
  expect(names.filter((name) => !name.startsWith('image_encoder.'))).toEqual([])
})

test('pictures without masks are refused by a loss of masks, and a validation on the way by all', async () => {
  const recipe = await findRecipe('segment', { pictures: 8, batch: 4 })
  const options = (name: string) => ({ output: join(folder, name), threads: 1 })
  await expect(train(sam, join(marked, 'images'), recipe, options('unmarked'))).rejects.toThrow(
    /Not one picture of .* can be used\. .*no object that could be seen/,
  )
  await expect(train(sam, marked, recipe, { ...options('validated'), validation: [marked] })).rejects.toThrow(
    /isn't validated on the way\. Leave out --validation/,
  )
})
