import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { DataSet } from '../../../src/data/data-set.js'
import { nodeDecoder } from '../../../src/image/node/decode.js'
import { chooseRuntime } from '../../../src/runtime/node/choose.js'
import { Model } from '../../../src/tasks/model.js'
import { meanSizes } from '../../../src/tasks/node/mean-sizes.js'
import { expectClose } from '../../support/expect-close.js'
import { randomModel, shrunk } from '../../support/tiny-models.js'

const pictures = ['kite', 'fly', 'yurt'].map((name) =>
  fileURLToPath(new URL(`../../../examples/${name}.jpg`, import.meta.url)),
)

test('the mean of what each picture alone goes on with, as its trace shows it', async () => {
  const files = randomModel(shrunk('vit-tiny', { rows: 8, columns: 8 }))
  await using model = new Model('tiny', files, await chooseRuntime('cpu'), { decoder: nodeDecoder })
  const settings = { reduce: 'ats:0.6' }
  const dataSet: DataSet = {
    name: 'three',
    size: 4,
    fingerprint: async () => 'three',
    async *items() {
      yield { name: 'none', error: { code: 'BAD_DATA', message: 'no picture' } as never }
      for (const source of pictures) yield { name: source, source }
    },
  } as DataSet
  const { pictures: counted, sizes } = await meanSizes(model, settings, { dataSet, signal: undefined })
  expect(counted).toBe(3)
  const traces = await Promise.all(pictures.map((picture) => model.trace(picture, settings)))
  const tokens = traces.map(({ steps }) => steps.map((step) => step.tokens))
  const means = tokens[0]?.map((_, step) => tokens.reduce((sum, own) => sum + (own[step] ?? 0), 0) / 3)
  expectClose(Object.values(sizes), means ?? [], { atol: 1e-9 })
  expect(new Set(tokens.map((own) => own.join())).size).toBeGreaterThan(1)
})
