import { describe, expect, test } from 'vitest'
import { presets, withChanges } from '../../src/models/index.js'
import { readTokenMask, tokenMaskJson, tokenMaskText } from '../../src/reduction/token-mask.js'
import { resolveSettings } from '../../src/settings/resolve.js'

const bits = (count: number, bit: boolean) => Array.from({ length: count }, () => bit)
const smallMask = tokenMaskText(tokenMaskJson({ rows: 7, columns: 7 }, { objects: bits(49, true) }), {
  name: 'small.json',
})

/** A model whose first token is a patch. */
function blind() {
  const architecture = presets['vit-tiny']
  if (!architecture) throw new Error('no vit-tiny')
  return { ...architecture, prefix: 0, facts: { ...architecture.facts, classToken: false } }
}

describe('settings that make no sense say what is allowed and what to take', () => {
  test.each<[string, string, RegExp]>([
    [
      'vit-tiny',
      'evit:0',
      /evit's keep is "0", but must be a number above 0 and up to 1.* For example: evit:0\.7/,
    ],
    [
      'vit-tiny',
      'top-k:0',
      /top-k's keep is "0", but must be a number above 0 and up to 1.* For example: top-k:0\.5/,
    ],
    [
      'vit-tiny',
      'tome:99',
      /tome shall merge 99 tokens .* of 196 patches at most 98 can\. Take tome:98 or fewer/,
    ],
    ['vit-tiny', 'tome:8/8/120', /tome shall merge 120 tokens .* at most 98 can\. Take tome:98/],
    [
      'vit-tiny',
      'mctf:99',
      /mctf shall merge 99 tokens .* of 196 patches at most 98 can\. Take mctf:98 or fewer/,
    ],
    [
      'without class token',
      'evit:0.7',
      /evit keeps the patches that the class token looks at, .* no class token\. Take tome/,
    ],
    ['without class token', 'top-k:0.7', /top-k keeps the patches .* no class token\. Take tome/],
    ['without class token', 'ats', /ats .* no class token\. Take tome/],
    [
      'deit-tiny-distilled',
      'evit:0.7',
      /evit .* this model is distilled\. Take one that is not distilled, or tome/,
    ],
    [
      'vit-tiny',
      `atf:${smallMask}`,
      /small\.json is a mask of 7 × 7 patches, but this model's pictures have 14 × 14\. Calibrate one .* blvit calibrate atf/,
    ],
    [
      'vit-tiny',
      'atf:mask.json',
      /mask\.json hasn't been read\. The command line and load\(\) read it; .* readSettings/,
    ],
    ['vit-tiny', 'evitt:0.7', /no reduction "evitt"\. Did you mean "evit"\? Known, for example: .*tome:8/],
    ['vit-tiny', 'evit 0.7', /no reduction "evit 0\.7"\. Write evit:0\.7\. Known/],
    ['vit-tiny', 'ToMe=8', /no reduction "ToMe=8"\. Write tome:8\. Known/],
    ['vit-tiny', 'pruning:0.7', /no reduction "pruning"\. Known, for example: .*evit:0\.7/],
    [
      'vit-tiny',
      'evit:0.7,tome:8',
      /"evit:0\.7,tome:8" are two reductions, and a model takes one at a time: evit or tome/,
    ],
    ['vit-tiny', 'tome:8 + evit:0.7', /are two reductions, .* one at a time: tome or evit/],
    ['vit-tiny', 'tome:8,ats', /are two reductions, .* one at a time: tome or ats/],
    [
      'vit-tiny',
      'dynamic-vit:0.7',
      /dynamic-vit needs .* this model has none.* Take a model that has learned with dynamic-vit/,
    ],
  ])('%s with %s', (name, reduce, complaint) => {
    const architecture = presets[name] ?? blind()
    expect(() => resolveSettings(architecture, { reduce })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringMatching(complaint) }),
    )
  })
})

test('a share of the tokens is never too many, where one token more would be', () => {
  const [micro] = [presets['vit-micro']].flatMap((architecture) => architecture ?? [])
  const single = micro && withChanges(micro, { image_size: 4 })
  if (!single) throw new Error('no vit-micro')
  expect(resolveSettings(single, { reduce: 'mctf:0.35' }).key).toBe('mctf:0.35')
  expect(() => resolveSettings(single, { reduce: 'mctf:1' })).toThrow('of 1 patches at most 0 can')
})

describe('a token mask', () => {
  const grid = { rows: 2, columns: 3 }
  const calibration = {
    ...{ model: 'vit', fingerprint: '', image: { height: 32, width: 48 }, pictures: 1, seed: 0 },
    ...{
      threshold: 'patches' as const,
      prefixTokens: 1,
      attentionReceived: [0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
    },
  }
  const whole = tokenMaskJson(grid, { static: bits(6, false), calibration })

  test.each<[string, unknown, string, RegExp]>([
    ['text that is no JSON', '{', 'BAD_DATA', /mask\.json is not JSON/],
    ['an array', [], 'BAD_DATA', /mask\.json is no token mask\. Make one: blvit calibrate atf/],
    ['null', 'null', 'BAD_DATA', /is no token mask/],
    ['another file', { grid: { rows: 2, columns: 3 } }, 'BAD_DATA', /is no token mask/],
    ['another version', { ...whole, version: 2 }, 'BAD_DATA', /version: /],
    [
      'rows of another length',
      { ...whole, static: ['01', '11'] },
      'BAD_DATA',
      /static: is not 2 rows of 3 bits/,
    ],
    ['other letters', { ...whole, static: ['01x', '111'] }, 'BAD_DATA', /is a row of 0 and 1/],
    [
      'means of other tokens',
      { ...whole, calibration: { ...calibration, prefixTokens: 0 } },
      'BAD_DATA',
      /attention of 6 tokens/,
    ],
    ['a calibration of nothing', { ...whole, static: null }, 'BAD_DATA', /comes with a calibration/],
    ['nothing', tokenMaskJson(grid, {}), 'BAD_DATA', /objects: are missing, and so is static/],
    [
      'no patch, uncalibrated',
      tokenMaskJson(grid, { objects: bits(6, false) }),
      'BAD_OPTION',
      /keeps no patch at all.*Mark some/,
    ],
  ])('of %s is refused', (_, content, code, complaint) =>
    expect(() => readTokenMask(content as object, 'mask.json')).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(complaint) }),
    ),
  )

  test('of no patch, calibrated, keeps the first that receives most', () => {
    const json = tokenMaskJson(grid, {
      static: bits(6, false),
      calibration: { ...calibration, attentionReceived: [0.9, 0.01, 0.02, 0.01, 0.03, 0.03, 0] },
    })
    expect(readTokenMask(json, 'mask.json').best).toBe(3)
    expect(tokenMaskText(JSON.stringify(json), { name: 'a' })).toBe('a#2x3/s00/b3')
  })
})
