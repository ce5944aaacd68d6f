import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cropModes } from '../../src/image/crop-window.js'
import { filterNames } from '../../src/image/filters.js'
import { writeHuggingFacePreprocessing } from '../../src/image/hugging-face-preprocessing.js'
import type { Preprocessing } from '../../src/image/preprocessing.js'
import {
  defaultPreprocessing,
  findPreprocessing,
  type ModelInput,
  type PreprocessingSources,
} from '../../src/image/preprocessing-config.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'
import { readJson } from './fixtures.js'

const readPreprocessing = (sources: PreprocessingSources, input?: ModelInput) =>
  findPreprocessing(sources, input).preprocessing
const read = (preprocessorConfig: unknown) => readPreprocessing({ preprocessorConfig })
const readTimm = (pretrained_cfg: unknown) => readPreprocessing({ config: { pretrained_cfg } })

describe('the preprocessing of a model folder', () => {
  test('is the default where no file says otherwise', () => {
    expect(readPreprocessing({})).toEqual(defaultPreprocessing)
    expect(readPreprocessing({ config: { model_type: 'blvit' } })).toEqual(defaultPreprocessing)
  })

  test('comes from preprocessor_config.json before config.json', () => {
    const config = { pretrained_cfg: { input_size: [3, 160, 160] } }
    expect(readPreprocessing({ config }).height).toBe(160)
    expect(readPreprocessing({ config, preprocessorConfig: { size: 96 } }).height).toBe(96)
  })

  test("takes the model's image size before the file's, and keeps the ratio", () => {
    const config = { pretrained_cfg: { input_size: [3, 160, 160], crop_pct: 0.95 } }
    const expected = { height: 384, width: 384, cropRatio: 0.95 }
    expect(readPreprocessing({ config }, { imageSize: 384 })).toMatchObject(expected)
    const imageSize = { height: 192, width: 256 }
    expect(readPreprocessing({ config }, { imageSize })).toMatchObject(imageSize)
  })

  test.skipIf(!hasSharedData)(`is read from timm's own files${withoutSharedData}`, () => {
    const of = (model: string) =>
      readPreprocessing({ config: readJson(shared(`weights/${model}/config.json`)) })
    expect(of('vit_tiny_patch16_224')).toEqual(defaultPreprocessing)
    expect(of('deit_tiny_patch16_224')).toEqual({
      ...defaultPreprocessing,
      cropRatio: 0.875,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    })
  })
})

describe("timm's pretrained_cfg", () => {
  test('gets what timm takes for missing keys', () => {
    expect(readTimm({})).toEqual({
      height: 224,
      width: 224,
      cropRatio: 0.875,
      cropMode: 'center',
      filter: 'bicubic',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    })
  })

  test('keeps height before width', () => {
    expect(readTimm({ input_size: [3, 128, 256] })).toMatchObject({ height: 128, width: 256 })
  })

  test.each([
    [{ interpolation: 'nearest' }, /interpolation: .*"bilinear"\|"bicubic"\|"lanczos"/],
    [{ crop_mode: 'corner' }, /crop_mode: .*"center"\|"squash"\|"border"/],
    [{ input_size: [0, 224, 224] }, /input_size\.0: /],
    [{ input_size: [3, 0, 224] }, /input_size\.1: /],
    [{ input_size: [3, 1e9, 224] }, /input_size\.1: /],
    [{ crop_pct: 0 }, /crop_pct: /],
    // would resize to more pixels than a number can count
    [{ crop_pct: 1e-320 }, /crop_pct: /],
    [{ mean: [0.5, 0.5] }, /mean: expected three numbers/],
    [{ mean: 1e308 }, /mean: /],
    [{ std: [0.5, 0, 0.5] }, /std: expected numbers of at least/],
    // not 0, but 0 in float32
    [{ std: 1e-320 }, /std: expected numbers of at least/],
    [7, /pretrained_cfg in config\.json is not valid/],
  ])('%j is refused', (cfg, message) => {
    expect(() => readTimm(cfg)).toThrow(message)
    expect(() => readTimm(cfg)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  })
})

describe('preprocessor_config.json', () => {
  // as published with google/vit-base-patch16-224
  const vit = {
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_processor_type: 'ViTFeatureExtractor',
    image_std: [0.5, 0.5, 0.5],
    resample: 2,
    rescale_factor: 0.00392156862745098,
    size: { height: 224, width: 224 },
  }
  // as published with facebook/deit-tiny-patch16-224
  const deit = {
    crop_size: 224,
    do_center_crop: true,
    do_normalize: true,
    do_resize: true,
    feature_extractor_type: 'DeiTFeatureExtractor',
    image_mean: [0.485, 0.456, 0.406],
    image_std: [0.229, 0.224, 0.225],
    resample: 3,
    size: 256,
  }

  test("of ViT squashes the picture into the model's input", () => {
    expect(read(vit)).toEqual({
      ...defaultPreprocessing,
      cropRatio: 1,
      cropMode: 'squash',
      filter: 'bilinear',
    })
  })

  test('of DeiT squashes to 256 and crops 224', () => {
    expect(read(deit)).toEqual({
      ...defaultPreprocessing,
      cropRatio: 0.875,
      cropMode: 'squash',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    })
  })

  test('of CLIP keeps the aspect ratio and crops the centre', () => {
    expect(read({ image_processor_type: 'CLIPImageProcessorFast', size: 256 })).toMatchObject({
      height: 224,
      cropRatio: 0.875,
      cropMode: 'center',
      filter: 'bicubic',
      mean: [0.48145466, 0.4578275, 0.40821073],
    })
  })

  test("with missing keys means what the class takes, ViT's without a class", () => {
    expect(read({})).toEqual(read(vit))
    expect(read({ image_processor_type: 'DeiTImageProcessor' })).toEqual(
      read({ ...deit, image_mean: 0.5, image_std: 0.5 }),
    )
  })

  test('of MobileViT takes blue first and values as they are, and is written back so', () => {
    const apple = {
      image_processor_type: 'MobileViTImageProcessor',
      size: { shortest_edge: 288 },
      crop_size: 256,
    }
    const found = read(apple)
    expect(found).toMatchObject({ filter: 'bilinear', mean: [0, 0, 0], std: [1, 1, 1], channelOrder: 'bgr' })
    expect(found).toMatchObject({ height: 256, width: 256, cropMode: 'center' })
    expect(read({ ...apple, do_flip_channel_order: false }).channelOrder).toBeUndefined()
    const file = writeHuggingFacePreprocessing(found)
    expect(file).toMatchObject({
      ...apple,
      crop_size: { height: 256, width: 256 },
      do_flip_channel_order: true,
    })
    expect(read(file)).toEqual(found)
    // its class in transformers normalises nothing: with a mean it would see other pixels
    const normalised = writeHuggingFacePreprocessing({ ...found, mean: [0.5, 0.5, 0.5] })
    expect(normalised.image_processor_type).toBe('TimmImageProcessor')
    expect(read(normalised)).toEqual({ ...found, mean: [0.5, 0.5, 0.5] })
  })

  test('without do_normalize leaves values between 0 and 1', () => {
    expect(read({ ...vit, do_normalize: false })).toMatchObject({ mean: [0, 0, 0], std: [1, 1, 1] })
  })

  test.each([
    [{ resample: 0 }, /resample: expected 1 \(lanczos\), 2 \(bilinear\) or 3 \(bicubic\)/],
    [
      { image_processor_type: 'SamImageProcessor' },
      /SamImageProcessor; accepted are ViTImageProcessor, DeiT/,
    ],
    [{ do_resize: false }, /do_resize: only true is supported/],
    [{ do_rescale: false }, /do_rescale: only true is supported/],
    [{ rescale_factor: 1 }, /rescale_factor: expected 1\/255/],
    [{ size: { longest_edge: 224 } }, /size: expected a number, \{ height, width \} or \{ shortest_edge \}/],
    [{ size: { shortest_edge: 224 } }, /size\.shortest_edge without do_center_crop .* add do_center_crop/],
    [
      { size: 256, do_center_crop: true, crop_size: { height: 224, width: 192 } },
      /crop_size 224 × 192 is not the same share of both sides of 256 × 256/,
    ],
    [{ image_mean: 'imagenet' }, /image_mean: expected three numbers/],
    [{ crop_pct: 0.9, crop_mode: 'center' }, /crop_mode and crop_pct need a crop_size/],
    [
      { crop_pct: 0.9, crop_mode: 'center', crop_size: 224, size: { shortest_edge: 256 } },
      /size is \{"shortest_edge":256\}, but crop_size and crop_pct 0\.9 make it \{"shortest_edge":248\}/,
    ],
    [null, /preprocessor_config\.json is not valid/],
  ])('with %j is refused', (config, message) => {
    expect(() => read(config)).toThrow(message)
    expect(() => read(config)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  })

  test('is written for the classes that do the same in transformers', () => {
    expect(writeHuggingFacePreprocessing(defaultPreprocessing)).toEqual({
      image_processor_type: 'CLIPImageProcessor',
      do_convert_rgb: true,
      do_resize: true,
      size: { shortest_edge: 248 },
      resample: 3,
      do_center_crop: true,
      crop_size: { height: 224, width: 224 },
      do_rescale: true,
      rescale_factor: 0.00392156862745098,
      do_normalize: true,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
      crop_pct: 0.9,
      crop_mode: 'center',
    })
    const classOf = (preprocessing: Preprocessing) =>
      writeHuggingFacePreprocessing(preprocessing).image_processor_type
    expect(classOf(read(vit))).toBe('ViTImageProcessor')
    expect(classOf(read(deit))).toBe('DeiTImageProcessor')
    expect(classOf({ ...defaultPreprocessing, cropMode: 'border' })).toBe('TimmImageProcessor')
  })

  const anySide = fc.integer({ min: 1, max: 1024 })
  const anyShare = fc.double({ min: 0, max: 1, noNaN: true })
  const anyDivisor = fc.double({ min: 1e-3, max: 10, noNaN: true })
  const anyPreprocessing = fc.record({
    height: anySide,
    width: anySide,
    cropRatio: fc.double({ min: 0.1, max: 2, noNaN: true }),
    cropMode: fc.constantFrom(...cropModes),
    filter: fc.constantFrom(...filterNames),
    mean: fc.tuple(anyShare, anyShare, anyShare),
    std: fc.tuple(anyDivisor, anyDivisor, anyDivisor),
  })

  test('reads back as the preprocessing that was written', () => {
    fc.assert(
      fc.property(anyPreprocessing, (preprocessing) => {
        const written = JSON.stringify(writeHuggingFacePreprocessing(preprocessing))
        expect(JSON.stringify(read(JSON.parse(written)))).toBe(JSON.stringify(sorted(preprocessing)))
      }),
    )
  })

  test('means the same resize to transformers, which ignores the keys of timm', () => {
    fc.assert(
      fc.property(anySide, fc.double({ min: 0.1, max: 2, noNaN: true }), (side, cropRatio) => {
        const preprocessing = { ...defaultPreprocessing, height: side, width: side, cropRatio }
        const { crop_pct, crop_mode, ...plain } = writeHuggingFacePreprocessing(preprocessing)
        const { cropRatio: derived, ...rest } = read(plain)
        expect(Math.floor(side / derived) || 1).toBe(Math.floor(side / cropRatio) || 1)
        expect({ ...rest, cropRatio }).toEqual(preprocessing)
      }),
    )
  })
})

/** In the order in which the reader builds it, for comparing as JSON (which has no −0). */
function sorted({ height, width, cropRatio, cropMode, filter, mean, std }: Preprocessing): Preprocessing {
  return { height, width, cropRatio, cropMode, filter, mean, std }
}

describe('what no file says', () => {
  const halves = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
  const clip = { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] }

  test.each([
    ['vit', { ...halves, filter: 'bilinear', cropMode: 'squash', cropRatio: 1 }, 'ViTImageProcessor'],
    ['deit', { ...halves, filter: 'bicubic', cropMode: 'squash', cropRatio: 0.875 }, 'DeiTImageProcessor'],
    ['dinov2', { ...clip, filter: 'bicubic', cropMode: 'center', cropRatio: 1 }, 'BitImageProcessor'],
    [
      'clip_vision_model',
      { ...clip, filter: 'bicubic', cropMode: 'center', cropRatio: 1 },
      'CLIPImageProcessor',
    ],
  ])('is as transformers has it for a %s, and told', (model_type, expected, className) => {
    const found = findPreprocessing({ config: { model_type } }, { imageSize: 32 })
    expect(found.preprocessing).toEqual({ ...expected, height: 32, width: 32 })
    expect(found.assumptions).toEqual([expect.stringContaining(`defaults of ${className}`)])
    // a file that names no class leaves the same defaults
    const named = findPreprocessing({ config: { model_type }, preprocessorConfig: { do_rescale: true } })
    expect(named.preprocessing).toMatchObject(expected)
    expect(named.assumptions).toEqual([expect.stringContaining(`${className} is assumed`)])
  })

  test('is timm’s where its pretrained_cfg is silent, and told', () => {
    const { assumptions } = findPreprocessing({ config: { pretrained_cfg: { mean: 0.5, std: 0.5 } } })
    expect(assumptions).toEqual([expect.stringContaining('has no interpolation, crop_pct')])
  })

  test('is nothing where a file says all', () => {
    const preprocessorConfig = writeHuggingFacePreprocessing(defaultPreprocessing)
    expect(findPreprocessing({ preprocessorConfig }).assumptions).toEqual([])
    const { said } = findPreprocessing({ preprocessorConfig }, { imageSize: 384 })
    expect(said).toEqual({ height: 224, width: 224 })
  })

  test('grey models take one number, or three that are one', () => {
    const read = (image_mean: unknown) =>
      findPreprocessing({ preprocessorConfig: { image_mean, image_std: 0.5 } }, { channels: 1 }).preprocessing
    expect(read([0.1307])).toMatchObject({ mean: [0.1307], std: [0.5] })
    expect(read(0.25).mean).toEqual([0.25])
    expect(read([0.5, 0.5, 0.5]).mean).toEqual([0.5])
    expect(() => read([0.4, 0.5, 0.6])).toThrow(/grey pictures, but its preprocessing has three means/)
  })
})
