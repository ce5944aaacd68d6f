import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { presets } from '../../src/models/index.js'
import { resolveSettings, resolveStages } from '../../src/settings/resolve.js'
import { classifyMany } from '../../src/tasks/node/classify-many.js'
import { evaluate } from '../../src/tasks/node/evaluate/evaluate.js'
import { load } from '../../src/tasks/node/load.js'
import { expectClose } from '../support/expect-close.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const names = ['kite', 'hummingbird', 'yurt', 'fly', 'traffic-light', 'fire-engine']
const classes = [21, 94, 915, 308, 920, 555]
const paths = names.map((name) => fileURLToPath(new URL(`../../examples/${name}.jpg`, import.meta.url)))

const probabilities = (results: readonly { readonly top: readonly { readonly probability: number }[] }[]) =>
  results.map(({ top }) => top[0]?.probability ?? Number.NaN)

describe('a cascade', () => {
  test('is the first run where that is sure, and else the second; alone, in a list, and by --json’s way', async () => {
    await using model = await load('vit-tiny')
    const small = probabilities(await model.classify(paths, { imageSize: 144 }))
    const whole = probabilities(await model.classify(paths))
    const sorted = small.toSorted((a, b) => a - b)
    // between the third and the fourth: half of them are sure
    const sureFrom = ((sorted[2] ?? 0) + (sorted[3] ?? 0)) / 2
    const cascade = `144:${sureFrom}`
    const results = await model.classify(paths, { cascade })
    expect(results.map(({ stage }) => stage)).toEqual(small.map((sure) => (sure >= sureFrom ? 1 : 2)))
    const expected = small.map((sure, i) => (sure >= sureFrom ? sure : whole[i]))
    expectClose(probabilities(results), expected.map(Number), { atol: 1e-5 })
    const unsure = small.indexOf(sorted[0] ?? 0)
    const alone = await model.classify(paths[unsure] ?? '', { cascade })
    expect(alone.stage).toBe(2)
    expectClose(probabilities([alone]), [whole[unsure] ?? 0], { atol: 1e-5 })
    const inputs = paths.map((source, i) => ({ name: names[i] ?? '', source }))
    const stages: unknown[] = []
    for await (const result of classifyMany(model, inputs, { cascade }))
      if ('classification' in result) stages.push(result.classification.stage)
    expect(stages).toEqual(results.map(({ stage }) => stage))
  })

  test('may be what a model is loaded with, which a call can take back; a keep ratio is a first stage too', async () => {
    await using model = await load('blvit-tiny', { cascade: '0.25:0.0001' })
    const [first] = await model.classify(paths.slice(0, 1))
    expect(first?.stage).toBe(1)
    const quarter = await model.classify(paths.slice(0, 1), { cascade: 'none', keepRatio: 0.25 })
    expect(quarter[0]).not.toHaveProperty('stage')
    expectClose(probabilities([first ?? { top: [] }]), probabilities(quarter), { atol: 1e-5 })
    const second = await model.classify(paths.slice(0, 1), { cascade: '0.25:0.999999', keepRatio: 1 })
    expect(second[0]?.stage).toBe(2)
    const all = await model.classify(paths.slice(0, 1), { cascade: 'none', keepRatio: 1 })
    expectClose(probabilities(second), probabilities(all), { atol: 1e-5 })
  })

  test('is counted: how many pictures went on to the second stage', async () => {
    const folder = temporaryFolder()
    for (const [i, path] of paths.entries()) copyFileSync(path, join(folder, `${names[i]}.jpg`))
    const lines = names.map((name, i) => `${name}.jpg,${classes[i]}`)
    writeFileSync(join(folder, 'labels.csv'), ['file,label', ...lines, ''].join('\n'))
    await using model = await load('vit-tiny')
    const settings = [{}, { cascade: '144:0.0001' }, { cascade: '144:0.999999' }]
    const { results } = await evaluate(model, folder, { settings })
    expect(results.map(({ setting, secondStage }) => [setting, secondStage?.count, secondStage?.of])).toEqual(
      [
        ['plain', undefined, undefined],
        ['cascade 144:0.0001', 0, 6],
        ['cascade 144:0.999999', 6, 6],
      ],
    )
    expect(results[2]?.top1.count).toBe(results[0]?.top1.count)
  })

  test('is for nothing but classification', async () => {
    await using model = await load('blvit-tiny')
    const refused = /Only classification is done in two stages/
    await expect(model.embed(paths[0] ?? '', { cascade: '144:0.8' })).rejects.toThrow(refused)
    await expect(model.trace(paths[0] ?? '', { cascade: '144:0.8' })).rejects.toThrow(refused)
  })
})

describe('what a cascade says', () => {
  const routed = presets['t+48']
  const plain = presets['vit-tiny']
  if (!routed || !plain) throw new Error('no presets')

  test.each([
    ['144', 'cascade 144:0.8', { imageSize: 144 }],
    [' 144px:0.70', 'cascade 144:0.7', { imageSize: 144 }],
  ])('%j is read as %s', (cascade, key, first) => {
    const stages = resolveStages(plain, { cascade })
    expect(stages.key).toBe(key)
    expect(stages.first?.resolved.values).toEqual(first)
    expect(stages.architecture).toBe(plain)
  })

  test('keep ratio and pixels together, beside what else is said', () => {
    const { key, first, sizes } = resolveStages(routed, { cascade: '144@.25:.9', keepRatio: 0.5 })
    expect(key).toBe('cascade 144@0.25:0.9, keep ratio 0.5')
    expect(first).toMatchObject({ sureFrom: 0.9, resolved: { values: { imageSize: 144, keepRatio: 0.25 } } })
    // of 9 × 9 patches a quarter, of 14 × 14 a half
    expect(first?.resolved.sizes).toEqual({ kept: 20 })
    expect(sizes).toEqual({ kept: 98 })
    expect(resolveStages(routed, { cascade: '0.25', keepMass: 0.7 }).first?.resolved.key).toBe(
      'keep ratio 0.25',
    )
  })

  test.each([
    '',
    '0.8',
    '144:1',
    '144.5',
    '@0.5',
    '0.25@144',
    '144@',
    '144:0',
    '144:',
    ':0.8',
    'small',
    '144:0.8:0.9',
    '0',
    '14.4',
  ])('%j is refused, or is for another model', (cascade) => {
    expect(() => resolveStages(plain, { cascade })).toThrow(/is no first stage|processes every token/)
  })

  test('whoever runs one stage refuses it', () => {
    expect(() => resolveSettings(plain, { cascade: '144' })).toThrow(
      /this can't be done with cascade 144:0\.8/,
    )
    expect(resolveSettings(plain, { cascade: 'none' }).key).toBe('plain')
  })
})
