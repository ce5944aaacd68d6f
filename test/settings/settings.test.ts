import { describe, expect, test } from 'vitest'
import { presets } from '../../src/models/index.js'
import { parseSetting, parseSettings, resolveSettings } from '../../src/settings/resolve.js'

function preset(name: string) {
  const found = presets[name]
  if (!found) throw new Error(`no preset ${name}`)
  return found
}

describe('settings', () => {
  test('a model’s own hold where nothing is said, and print as people read them', () => {
    expect(resolveSettings(preset('b+t'))).toMatchObject({
      key: 'keep ratio 0.25',
      values: { keepRatio: 0.25 },
      sizes: { kept: 49 },
      buildKey: '',
    })
    expect(resolveSettings(preset('vit-base'))).toMatchObject({ key: 'plain', values: {}, sizes: {} })
    expect(resolveSettings(preset('b+t'), { keepRatio: 0.5 }).sizes).toEqual({ kept: 98 })
  })

  test('a reduction decides how the model is built, under one text however it was typed', () => {
    const { key, buildKey, build } = resolveSettings(preset('vit-base'), { reduce: ' EViT:0.70, fuse=true' })
    expect({ key, buildKey }).toEqual({ key: 'evit:0.7', buildKey: 'evit:0.7' })
    expect(build.hooks?.between).toBeTypeOf('function')
    expect(resolveSettings(preset('vit-base'), { reduce: 'none' })).toMatchObject({
      key: 'plain',
      buildKey: '',
    })
  })

  test('one that takes another’s place makes a model’s own value of that void', () => {
    expect(resolveSettings(preset('b+t'), { keepMass: 0.7 })).toMatchObject({
      key: 'keep mass 0.7',
      values: { keepMass: 0.7 },
      sizes: {},
      build: { keepMass: 0.7 },
      buildKey: 'keep mass 0.7',
    })
    expect(resolveSettings(preset('b+t'), { keepMass: 0.7 }).values).not.toHaveProperty('keepRatio')
  })

  test.each([
    ['b+t', { keepRatio: 0.001 }, /keeps none of 196 patches\. The smallest that keeps one is 0\.005103/],
    ['b+t', { keepRatio: 1.5 }, /not a number above 0 and up to 1/],
    ['b+t', { keepRatio: '0.5' }, /not a number above 0 and up to 1/],
    ['vit-base', { keepRatio: 0.5 }, /processes every token/],
    ['b+t', { keepMass: 1 }, /not a number between 0 and 1.*For all patches give keep ratio 1/],
    [
      'b+t',
      { keepMass: 0.7, keepRatio: 0.5 },
      /--keep-mass and -r, --keep-ratio say the same thing in two ways/,
    ],
    ['vit-base', { keepMass: 0.7 }, /processes every token.*--reduce ats:1/],
    ['mobilevit-xs', { keepMass: 0.7 }, /has maps and no tokens/],
    ['b+t', { reduce: 'evit:0.7' }, /for plain ViTs and DeiTs; a blvit decides in its own blocks/],
    ['vit-base', { reduce: 'evitt:0.7' }, /no reduction "evitt"\. Did you mean "evit"/],
    ['vit-base', { keepratio: 0.5 }, /no setting "keepratio"\. Did you mean "keepRatio"/],
  ])('%s can’t take %j', (name, settings, complaint) => {
    expect(() => resolveSettings(preset(name), settings as object)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(complaint) }),
    )
  })

  test('a number that a model never comes to is told as the highest that it does', () => {
    const at = (reduce: string) => resolveSettings(preset('vit-base'), { reduce })
    // of 197 tokens no more are sampled
    expect(at('ats:500').key).toBe('ats:197')
    expect(at('tome:98').key).toBe('tome:98')
    expect(at('mctf:0.35').key).toBe('mctf:0.35')
  })

  test('a text is read by the setting that understands it', () => {
    expect(parseSetting('0.5')).toEqual({ keepRatio: 0.5 })
    expect(parseSetting('tome:8')).toEqual({ reduce: 'tome:8' })
    expect(parseSetting('0.7mass')).toEqual({ keepMass: 0.7 })
    expect(parseSetting('192px')).toEqual({ imageSize: 192 })
    expect(parseSetting('10layers')).toEqual({ firstLayers: 10 })
    expect(parseSetting('1')).toEqual({ keepRatio: 1 })
    expect(() => parseSetting('192')).toThrow(/"192" is no setting/)
    expect(() => parseSetting('half')).toThrow(/"half" is no setting/)
    expect(parseSettings({ keepRatio: '0.25' })).toEqual({ keepRatio: 0.25 })
  })
})
