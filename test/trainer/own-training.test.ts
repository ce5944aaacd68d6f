import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { BlvitError } from '../../src/base/blvit-error.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import type { Recipe } from '../../src/recipes/recipe.js'
import { findRecipe } from '../../src/trainer/find-recipe.js'
import { train } from '../../src/trainer/train.js'
import type { TrainOptions } from '../../src/trainer/train-options.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { writeTinyVit } from '../support/tiny-training.js'

const folder = temporaryFolder()
const [vit, pictures] = [join(folder, 'vit'), join(folder, 'pictures')]

beforeAll(async () => {
  await writeTinyVit(vit)
  for (const label of ['0', '1']) {
    await mkdir(join(pictures, label), { recursive: true })
    for (let i = 0; i < 4; i++) {
      const background = { r: label === '0' ? 230 : 40, g: 20 * i, b: label === '0' ? 40 : 230 }
      await sharp({ create: { width: 32, height: 32, channels: 3, background } })
        .jpeg()
        .toFile(join(pictures, label, `${i}.jpg`))
    }
  }
})

const stage = { objective: 'end to end', pictures: 16, batch: 4, learningRate: 1e-2 } as const

function options(name: string, changes: Partial<TrainOptions>): TrainOptions {
  return { output: join(folder, name), threads: 1, ...changes }
}

async function logOf(name: string): Promise<readonly Record<string, unknown>[]> {
  const text = await readFile(join(folder, `${name}.training`, 'log.jsonl'), 'utf8')
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** Whether two models have the same numbers for a parameter. */
async function isEqual(parameter: string, one: string, other: string): Promise<boolean> {
  const values = await Promise.all(
    [one, other].map(async (model) => {
      const tensor = (await openModel(model)).weights.get(parameter)
      return tensor ? [...(await readFloats(tensor))] : []
    }),
  )
  return values[0]?.length !== 0 && JSON.stringify(values[0]) === JSON.stringify(values[1])
}

async function complaint(made: Promise<unknown>): Promise<string> {
  return made.then(
    () => 'nothing',
    (thrown: unknown) => {
      if (thrown instanceof BlvitError) return `${thrown.code}: ${thrown.message}`
      throw thrown
    },
  )
}

const sparsification: Recipe = {
  about: 'DynamicViT in a few steps',
  stages: [
    {
      ...stage,
      loss: { labels: 1, ratio: 2, logits: 0.5, keptTokens: 0.5 },
      parameters: [{ match: '^(?!score_predictor)', frozen: true }],
    },
  ],
}

test('predictors learn in a ViT that is made a DynamicViT, and the model then runs by them', async () => {
  const name = 'sparse'
  const { validations } = await train(
    vit,
    pictures,
    sparsification,
    options(name, { set: { reduction: 'dynamic-vit:0.7' }, validation: [pictures], validateEvery: 4 }),
  )
  const trained = join(folder, name)
  const { architecture, weights } = await openModel(trained)
  expect(architecture.settings).toEqual({ reduce: 'dynamic-vit:0.7' })
  // three layers, a predictor of ten tensors before each
  expect([...weights.keys()].filter((parameter) => parameter.startsWith('score_predictor.'))).toHaveLength(30)
  expect(validations.at(-1)?.results.map(({ setting }) => setting)).toEqual(['dynamic-vit:0.7'])
  expect(await isEqual('blocks.1.attn.qkv.weight', vit, trained)).toBe(true)
  const steps = (await logOf(name)).filter((record) => 'ratio' in record)
  expect(steps).toHaveLength(4)
  for (const { loss, labels, ratio, logits, kept_tokens: kept } of steps) {
    expect(Number(loss)).toBeCloseTo(
      Number(labels) + 2 * Number(ratio) + 0.5 * Number(logits) + 0.5 * Number(kept),
      4,
    )
  }
  // a student and its teacher, which is the model that it begins as, differ only in what is masked
  expect(steps.every(({ ratio, kept_tokens: kept }) => Number(ratio) > 0 && Number(kept) > 0)).toBe(true)
})

test('the class token of an Evo-ViT learns the labels by a head of its own', async () => {
  const mean = join(folder, 'mean')
  await writeTinyVit(mean, { global_pool: 'avg', reduction: 'evo-vit:0.5,class-head=true' })
  const recipe: Recipe = {
    about: 'Evo-ViT in a few steps',
    stages: [
      { ...stage, loss: { labels: 1 }, reduce: 'evo-vit:0.5,mode=layer,class-head=true' },
      { ...stage, loss: { labels: 1 } },
    ],
  }
  await train(mean, pictures, recipe, options('evolved', {}))
  const trained = join(folder, 'evolved')
  for (const parameter of ['head_cls.weight', 'norm_cls.bias', 'head.weight', 'fc_norm.weight']) {
    expect(await isEqual(parameter, mean, trained), parameter).toBe(false)
  }
  const settings = (await logOf('evolved')).map(({ setting }) => setting)
  expect([...new Set(settings)]).toEqual([
    'evo-vit:0.5,mode=layer,class-head=true',
    'evo-vit:0.5,class-head=true',
  ])
})

test('a ViT that is made an AdaViT learns what to decide, and the model then runs by it', async () => {
  const recipe: Recipe = {
    about: 'AdaViT in a few steps',
    stages: [{ ...stage, loss: { labels: 1, headUsage: 2, layerUsage: 2, tokenUsage: 2 } }],
  }
  const set = { reduction: 'ada-vit:0.6' }
  const { validations } = await train(
    vit,
    pictures,
    recipe,
    options('deciding', { set, validation: [pictures], validateEvery: 4 }),
  )
  const trained = join(folder, 'deciding')
  expect(validations.at(-1)?.results.map(({ setting }) => setting)).toEqual(['ada-vit:0.6'])
  expect((await openModel(trained)).architecture.settings).toEqual({ reduce: 'ada-vit:0.6' })
  expect(await isEqual('blocks.1.attn.qkv.weight', vit, trained)).toBe(false)
  const values = async (parameter: string) => {
    const tensor = (await openModel(trained)).weights.get(parameter)
    return tensor ? [...(await readFloats(tensor))] : []
  }
  // biases begin at 0
  for (const selector of ['attn.token_select', 'head_select', 'layer_select']) {
    const bias = await values(`blocks.1.${selector}.mlp_head.bias`)
    expect(
      bias.some((value) => value !== 0),
      selector,
    ).toBe(true)
  }
  const steps = (await logOf('deciding')).filter((record) => 'head_usage' in record)
  expect(steps).toHaveLength(4)
  for (const { loss, labels, head_usage: heads, layer_usage: layers, token_usage: tokens } of steps) {
    expect(Number(loss)).toBeCloseTo(
      Number(labels) + 2 * (Number(heads) + Number(layers) + Number(tokens)),
      4,
    )
  }
})

test('a ViT learns to halt its tokens by the recipe a-vit, and the model then runs so', async () => {
  const deep = join(folder, 'deep')
  // the prior of `halting` is one over twelve blocks
  await writeTinyVit(deep, { depth: 12 })
  const recipe = await findRecipe('a-vit', { pictures: 8, batch: 4, accumulate: 1 })
  const set = { reduction: 'a-vit:0.5,scale=1' }
  const trained = options('halting', { set, validation: [pictures], validateEvery: 2 })
  const { validations } = await train(deep, pictures, recipe, trained)
  expect(validations.at(-1)?.results.map(({ setting }) => setting)).toEqual(['a-vit:0.5,scale=1'])
  const steps = (await logOf('halting')).filter((record) => 'ponder' in record)
  expect(steps).toHaveLength(2)
  for (const { loss, labels, ponder, halting } of steps) {
    expect(Number(loss)).toBeCloseTo(Number(labels) + 5e-4 * Number(ponder) + 1e-3 * Number(halting), 4)
    // blocks a token, and what its scores lacked to 1 after the last of them
    expect(Number(ponder)).toBeGreaterThan(1)
    expect(Number(ponder)).toBeLessThan(13)
  }
})

test('a ViT learns to go on with sampled patches by the recipe ats', async () => {
  const recipe = await findRecipe('ats', { pictures: 8, batch: 4, accumulate: 1 })
  const trained = options('sampling', { validation: [pictures], validateEvery: 2 })
  const { validations } = await train(vit, pictures, recipe, trained)
  expect(validations.at(-1)?.results.map(({ setting }) => setting)).toEqual(['ats:1'])
  expect(await isEqual('blocks.1.attn.qkv.weight', vit, join(folder, 'sampling'))).toBe(false)
})

test('a loss that the student doesn’t have is refused with those that it has', async () => {
  const recipe: Recipe = { about: 'A typo', stages: [{ ...stage, loss: { labels: 1, ratoi: 2 } }] }
  expect(
    await complaint(train(vit, pictures, recipe, options('typo', { set: { reduction: 'dynamic-vit:0.7' } }))),
  ).toMatch(
    /^BAD_CONFIG: There is no loss "ratoi" for this student\. Did you mean "ratio"\? It has labels, .*ratio\.$/,
  )
  expect(await complaint(train(vit, pictures, sparsification, options('plain', {})))).toMatch(
    /^BAD_CONFIG: There is no loss "ratio" for this student\. It has labels, /,
  )
})
