import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  analyze,
  classifyMany,
  distill,
  embedMany,
  evaluate,
  exportForTransformersJs,
  exportOnnx,
  load,
  openModel,
  pipeline,
  presets,
  problems,
  recipes,
  train,
} from '../../src/index.js'
import type { Model } from '../../src/tasks/model.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const picture = fileURLToPath(new URL('../../examples/kite.jpg', import.meta.url))
const shipped = fileURLToPath(new URL('../../assets/models/vit-tiny', import.meta.url))
const pictures = [{ name: 'kite', source: picture }]
const folder = temporaryFolder()
const bt = presets['b+t'] ?? expect.fail('no preset')
const recipe = recipes['from-scratch'] ?? expect.fail('no recipe')

let model: Model
beforeAll(async () => {
  model = await load('vit-tiny')
})
afterAll(() => model.dispose())

/** Calls as somebody without types writes them. */
const calls: readonly [string, unknown, (options: never) => unknown, RegExp][] = [
  ['load', { redcue: 'evit:0.7' }, (o) => load('vit-tiny', o), /option of load "redcue".*"reduce"/],
  ['classify', { keepratio: 0.5 }, (o) => model.classify(picture, o), /of classify "keepratio".*"keepRatio"/],
  ['embed', { normalise: true }, (o) => model.embed(picture, o), /of embed "normalise".*"normalize"/],
  ['trace', { tpo: 3 }, (o) => model.trace(picture, o), /of trace "tpo".*"top"/],
  ['answer', { sede: 3 }, (o) => model.answer(problems.features, picture, o), /of features "sede".*"seed"/],
  ['evaluate', { keepRatios: [1] }, (o) => evaluate(model, folder, o), /of evaluate "keepRatios"/],
  ['classifyMany', { batchs: 8 }, (o) => classifyMany(model, pictures, o).next(), /"batchs"/],
  [
    'embedMany',
    { poling: 'cls' },
    (o) => embedMany(model, pictures, o).next(),
    /of embed "poling".*"pooling"/,
  ],
  ['analyze', { keep_ratio: 1 }, (o) => analyze(bt, o), /of analyze "keep_ratio".*"keepRatio"/],
  [
    'exportOnnx',
    { presicion: 'fp16' },
    async (o) => exportOnnx(await openModel(shipped), join(folder, 'a.onnx'), o),
    /"presicion".*"precision"/,
  ],
  [
    'exportForTransformersJs',
    { dtype: 'fp16' },
    (o) => exportForTransformersJs(shipped, join(folder, 'a'), o),
    /"dtype"/,
  ],
  ['train', { outptu: 'a' }, (o) => train('vit-tiny', folder, recipe, o), /of a training "outptu".*"output"/],
  ['distill', { data: folder, epochs: 3 }, (o) => distill('vit-tiny', o), /of a training "epochs"/],
  [
    'pipeline',
    { devcie: 'cpu' },
    (o) => pipeline('image-classification', 'vit-tiny', o),
    /"devcie".*"device"/,
  ],
]

test.each(calls)('%s refuses %j', async (_, options, call, complaint) => {
  const ended = Promise.resolve().then(() => call(options as never))
  await expect(ended).rejects.toMatchObject({
    code: 'BAD_OPTION',
    message: expect.stringMatching(complaint),
  })
})

test('a pipeline’s calls refuse them too', async () => {
  await using classifier = await pipeline('image-classification', 'vit-tiny')
  await expect(classifier(picture, { topk: 1 } as object)).rejects.toThrow(/"topk"\. Did you mean "top_k"/)
  await using extractor = await pipeline('image-feature-extraction', 'vit-tiny')
  await expect(extractor(picture, { polling: 'mean' } as object)).rejects.toThrow(/Did you mean "pooling"/)
})
