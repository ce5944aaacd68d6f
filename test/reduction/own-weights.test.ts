import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { BlvitError } from '../../src/base/blvit-error.js'
import { parametersOf } from '../../src/model-store/model-files.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import { readArchitecture, withChanges } from '../../src/models/index.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import { resolveSettings } from '../../src/settings/resolve.js'
import type { Model } from '../../src/tasks/model.js'
import { load } from '../../src/tasks/node/load.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

const picture = new URL('../../examples/kite.jpg', import.meta.url).pathname
const folder = temporaryFolder()
const [learned, plain] = [join(folder, 'learned'), join(folder, 'plain')]

/** Twelve patches, six blocks; predictors before the second, fourth and fifth. */
const vit = shrunk('vit-tiny', { depth: 6 })
const sparse = withChanges(vit, { reduction: 'dynamic-vit:0.7' })

beforeAll(async () => {
  const files = randomModel(sparse)
  const rest = new Map([...files.weights].filter(([name]) => !name.startsWith('score_predictor.')))
  await writeModelFolder(learned, files, { card: '' })
  await writeModelFolder(plain, { ...files, architecture: vit, weights: rest }, { card: '' })
})

async function probabilities(model: Model, settings = {}): Promise<readonly number[]> {
  const { top } = await model.classify(picture, { top: 5, ...settings })
  return top.toSorted((a, b) => a.index - b.index).map(({ probability }) => probability)
}

async function complaint(make: () => unknown): Promise<string> {
  try {
    await make()
  } catch (thrown) {
    if (thrown instanceof BlvitError) return `${thrown.code}: ${thrown.message}`
    throw thrown
  }
  return 'nothing'
}

describe('a model folder that names its reduction', () => {
  test('runs with it, by weights of its own', async () => {
    const { architecture, weights } = await openModel(learned)
    expect(architecture.settings).toEqual({ reduce: 'dynamic-vit:0.7' })
    expect(resolveSettings(architecture).key).toBe('dynamic-vit:0.7')
    const predictors = [...weights.keys()].filter((name) => name.startsWith('score_predictor.'))
    expect(predictors).toHaveLength(30)
    expect(predictors).toContain('score_predictor.2.out_conv.4.bias')
    const parts = predictors.map((name) => architecture.facts.partOf(name))
    expect(new Set(parts)).toEqual(new Set(['predictors']))
  })

  test('otherwise if that is said, and plainly with none, as the same weights without predictors do', async () => {
    const opened = (folder: string) => load(folder, { runtime: chooseRuntime('cpu', { thread: 'caller' }) })
    await using model = await opened(learned)
    await using other = await opened(plain)
    const own = await probabilities(model)
    const none = await probabilities(model, { reduce: 'none' })
    expect(none).toEqual(await probabilities(other))
    expect(own).not.toEqual(none)
    expect(await probabilities(model, { reduce: 'dynamic-vit:0.5' })).not.toEqual(own)
    expect(await probabilities(model, { reduce: 'dynamic-vit:1' })).toEqual(none)
    expect(await probabilities(model, { reduce: 'evit:0.7' })).toEqual(
      await probabilities(other, { reduce: 'evit:0.7' }),
    )
  })

  test('keeps it where its configuration changes, and loses it by reduction=none', () => {
    expect(withChanges(sparse, { num_classes: 3 }).settings).toEqual({ reduce: 'dynamic-vit:0.7' })
    const without = withChanges(sparse, { reduction: 'none' })
    expect(without.settings).toEqual({})
    expect(parametersOf(without).map(({ name }) => name)).toEqual(parametersOf(vit).map(({ name }) => name))
  })

  test.each([
    ['dynamic:0.7', /^BAD_CONFIG: config.json is not valid: There is no reduction "dynamic"\./],
    ['dynamic-vit:0', /^BAD_CONFIG: config.json is not valid: dynamic-vit's keep is "0", but must be /],
    [0.7, /^BAD_CONFIG: config.json is not valid: reduction must be a text like "evit:0.7", not 0.7\.$/],
    [
      'dynamic-vit:0.7,blocks=2',
      /^BAD_WEIGHTS: .* 20 unexpected: score_predictor\..* These are weights of a method .* say which one in config.json/,
    ],
  ])('is refused where that is %s', async (reduction, expected) => {
    const path = join(learned, 'config.json')
    const text = await readFile(path, 'utf8')
    await writeFile(path, JSON.stringify({ ...JSON.parse(text), reduction }))
    expect(await complaint(() => openModel(learned))).toMatch(expected)
    await writeFile(path, text)
  })
})

describe('a method that needs weights which a model doesn’t have', () => {
  const resolving = (architecture: typeof vit, reduce: string) =>
    complaint(() => resolveSettings(architecture, { reduce }))

  test('says what is missing and what to do', async () => {
    expect(await resolving(vit, 'dynamic-vit:0.7')).toBe(
      'BAD_OPTION: dynamic-vit needs predictors that it has learned with (score_predictor.0, …), and this model has none: ' +
        'its config.json names no "reduction": "dynamic-vit:0.7". Take a model that has learned with dynamic-vit, or ' +
        'teach one: blvit train <model> --set reduction=dynamic-vit:0.7 --recipe dynamic-vit …',
    )
    expect(await resolving(sparse, 'dynamic-vit:0.7,blocks=1/2/3/4')).toBe(
      'BAD_OPTION: dynamic-vit shall drop patches in front of 4 blocks, but this model has predictors for 3.',
    )
    expect(await resolving(sparse, 'dynamic-vit:0.05')).toMatch(
      /^BAD_OPTION: .* of 12 patches, which is none\./,
    )
  })

  test('and a bLViT has no block loop that one could be in', async () => {
    const { json } = shrunk('t+48')
    const reading = () => resolveSettings(readArchitecture({ ...json, reduction: 'evit:0.7' }))
    expect(await complaint(reading)).toMatch(/^BAD_OPTION: evit is for plain ViTs and DeiTs; a blvit decides/)
  })
})
