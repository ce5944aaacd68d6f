import { describe, expect, test } from 'vitest'
import type { Architecture } from '../../../src/models/architecture.js'
import { presets, withChanges } from '../../../src/models/index.js'
import { resolveSettings } from '../../../src/settings/resolve.js'
import {
  explanation,
  fullLayersLine,
  layerList,
  legend,
  pathWords,
  stepCount,
  stepTitle,
  wholeChange,
} from '../../../src/tasks/trace/trace-words.js'
import { dropping, fusing, merging, routes, traceOf, untouched } from '../../support/traces.js'

test.each([
  [[7], '7'],
  [[2, 3, 4], '2–4'],
  [[10, 12, 14, 16], '10, 12, … 16'],
  [[3, 5], '3, 5'],
  [[3, 5, 9, 10], '3, 5, 9, 10'],
  [[], ''],
])('layers %j are %s', (layers, text) => {
  expect(layerList(layers)).toBe(text)
})

describe('a title', () => {
  const titles = (...steps: Parameters<typeof traceOf>[0]) =>
    steps.map((_, i) => stepTitle(traceOf(steps), i))

  test('names the layers that a choice of path decides about', () => {
    const choice = { afterLayer: 1, tokens: 12, patchToken: [], big: [] }
    expect(titles({ ...choice, layers: [2, 3, 4] })).toEqual(['after layer 1 → layers 2–4'])
    expect(titles({ ...choice, layers: [2] })).toEqual(['after layer 1 → layer 2'])
    expect(titles({ ...choice, layers: [] })).toEqual(['after layer 1 → chosen anew before use'])
    expect(titles({ ...choice, tokens: 9, layers: [2] })).toEqual(['after layer 1 → layer 2: 12 → 9 tokens'])
  })

  test('counts the tokens since the panel before, or since the beginning', () => {
    expect(titles(fusing)).toEqual(['after layer 4: 12 → 7 tokens'])
    const steps = [merging, { ...merging, tokens: 8 }, fusing]
    expect(stepTitle(traceOf(steps), 2, { before: 0 })).toBe('after layer 4: 9 → 7 tokens')
    expect(stepTitle(traceOf(steps), 2, { before: 1 })).toBe('after layer 4: 8 → 7 tokens')
    expect(stepTitle(traceOf([merging, merging]), 1, { before: 0 })).toBe('after layer 1: 9 tokens as before')
  })
})

describe('the line below it counts', () => {
  const lines = (...steps: Parameters<typeof traceOf>[0]) =>
    steps.map((step) => stepCount(traceOf(steps), step))

  test('patches of the big path', () => {
    expect(lines(...routes([1, 2, 3]))).toEqual(['3 of 12 patches (25 %) take the big path'])
  })

  test('patches that are worked on while others wait', () => {
    const { hooks } = resolveSettings(presets['vit-tiny'] ?? expect.fail('no vit-tiny'), {
      reduce: 'evo-vit:0.5',
    }).build
    const paths = pathWords(presets['vit-tiny']?.build(hooks ? { hooks } : {}).history ?? [])
    const trace = traceOf(routes([1, 2, 3]), { paths })
    expect(trace.steps.map((step) => stepCount(trace, step))).toEqual([
      '3 of 12 patches (25 %) are worked on',
    ])
    expect(fullLayersLine(trace)).toBe('layer 1: all 12 patches are worked on')
    expect(explanation(trace)).toBe('The model chooses patches; only the bright ones are worked on.')
  })

  test('patches that a layer works on, and what else it decides', () => {
    const deciding = (decided: readonly string[]) => routes([1, 2, 3]).map((step) => ({ ...step, decided }))
    expect(lines(...deciding([]))).toEqual(['3 of 12 patches'])
    expect(lines(...deciding(['MLP skipped', '1 of 3 heads']))).toEqual([
      '3 of 12 patches, MLP skipped, 1 of 3 heads',
    ])
    expect(explanation(traceOf(deciding([])))).toMatch(/^Each layer decides anew/)
  })

  test('what has become of all patches so far, so that the counts add up to them', () => {
    expect(lines(merging)).toEqual(['patches: 7 kept, 5 merged into 2 tokens'])
    expect(lines(fusing)).toEqual(['patches: 6 kept, 6 summed up in 1 token'])
    expect(lines(dropping)).toEqual(['patches: 6 kept, 6 dropped'])
    const further = dropping.patchToken.map((token) => (token > 4 ? -1 : token))
    expect(lines(dropping, { ...dropping, tokens: 3, patchToken: further })[1]).toBe(
      'patches: 3 kept, 9 dropped',
    )
    const both = {
      ...merging,
      tokens: 8,
      patchToken: merging.patchToken.map((token) => (token === 5 ? -1 : token)),
    }
    expect(lines(both)).toEqual(['patches: 6 kept, 5 merged into 2 tokens, 1 dropped'])
    expect(lines({ afterLayer: 1, tokens: 12, patchToken: untouched })).toEqual(['all 12 patches kept'])
  })

  test('what holds before the first step', () => {
    expect(fullLayersLine(traceOf(routes([1], [2])))).toBe('layer 1: all 12 patches take the big path')
    expect(fullLayersLine(traceOf([fusing]))).toBe('layers 1–3: all 12 patches')
    expect(fullLayersLine(traceOf([merging]))).toBe('12 patches')
    expect(fullLayersLine(traceOf([]))).toBe('12 patches, a token each')
  })

  test('the whole way', () => {
    expect(wholeChange(traceOf([merging, fusing]))).toBe('12 → 7 tokens')
    expect(wholeChange(traceOf(routes([1])))).toBeUndefined()
    expect(wholeChange(traceOf([]))).toBeUndefined()
  })
})

describe('the legend', () => {
  const architecture = presets['t+48'] ?? expect.fail('no t+48')
  const steps = routes([1], [2])

  test('says what the model does on its two paths', () => {
    const wordsOf = (changed: Architecture) => pathWords(changed.build().history)
    expect(wordsOf(architecture)?.little).toBe('little E-block only')
    expect(wordsOf(withChanges(architecture, { little: null }))).toEqual({
      big: 'big block',
      little: 'skipped, they pass unchanged',
    })
    const some = { embed_dim: 48, num_heads: 1, layers: [3, 5] }
    expect(wordsOf(withChanges(architecture, { little: some }))?.little).toBe(
      'little E-block only (in layers 3, 5), else unchanged',
    )
    expect(wordsOf(presets['vit-tiny'] ?? expect.fail('no vit-tiny'))).toBeUndefined()
    expect(legend(traceOf(steps, { paths: wordsOf(architecture) }))).toEqual([
      { fate: 'bright', text: 'bright: big P-block + little E-block' },
      { fate: 'dim', text: 'dim: little E-block only' },
    ])
  })

  test('says what became of patches, for what occurs', () => {
    const texts = (...some: Parameters<typeof traceOf>[0]) => legend(traceOf(some)).map(({ text }) => text)
    expect(texts(merging, fusing)).toEqual([
      'bright: a token each',
      'one number, colour and outline: merged into one token',
      'dotted, one number: let go, summed up in one token',
    ])
    expect(texts(dropping)).toEqual(['bright: a token each', 'striped: dropped'])
    expect(texts()).toEqual([])
  })

  test.each([
    [[], /^Every layer works on all patches\.$/],
    [routes([1]), /only the bright ones take the big path/],
    [[merging], /joins patches that look alike to it: fewer/],
    [[merging, dropping], /joins patches .*, and lets others go/],
    [[fusing], /the bright ones and a sum of the rest/],
    [[dropping], /drops patches; .* the bright ones only/],
  ])('one sentence says how to read it, %#', (some, sentence) => {
    expect(explanation(traceOf(some))).toMatch(sentence)
  })
})
