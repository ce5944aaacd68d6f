import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { defined } from '../../../src/base/assert.js'
import { batchStream } from '../../../src/batches/batch-stream.js'
import { openDataSet } from '../../../src/data/open-data-set.js'
import { nodeDecoder } from '../../../src/image/node/decode.js'
import { fineTune } from '../../../src/recipes/fine-tune.js'
import { adjusted, recipeSchema } from '../../../src/recipes/recipe.js'
import { photoBatches } from '../../../src/tasks/browser/photo-batches.js'
import { writeColours } from '../../support/coloured-pictures.js'
import { temporaryFolder } from '../../support/temporary-folder.js'
import { randomModel, shrunk } from '../../support/tiny-models.js'

const folder = temporaryFolder()
beforeAll(() => writeColours(folder, { count: 3 }))

test('batches of pictures that are there are those that Node reads of the same ones, epoch after epoch', async () => {
  const labels = ['blue', 'green', 'red']
  const { preprocessing } = randomModel(shrunk('vit-micro'))
  const recipe = adjusted(recipeSchema.parse(fineTune), { batch: 4 })
  const stage = defined(recipe.stages[0], 'a stage')
  const { batch, augmentation } = stage
  const seed = 3
  const read = batchStream({
    ...{ data: [folder], labels, preprocessing, labelled: 'one', seed, from: { epoch: 0, index: 0 } },
    ...{ batch, augmentation, workers: 1 },
  })
  const pictures = []
  for await (const item of (await openDataSet([folder], { labels })).items()) {
    if (!('source' in item)) throw new Error(item.name)
    const { name, source, label = -1 } = item
    const picture = { label: labels[label] ?? '', index: 0 }
    pictures.push({ picture, input: join(folder, name), source, vector: new Float32Array(), label })
  }
  const made = photoBatches(pictures, { stage, preprocessing, classes: 3, decoder: nodeDecoder, seed })
  // the last of them holds pictures of the second epoch
  for (let i = 0; i < 3; i++) {
    const { pixels, targets } = defined((await read.next()).value ?? undefined, 'a batch')
    expect((await made.next()).value).toEqual({ pixels, targets })
  }
  await read.return(undefined)
  await made.return(undefined)
})
