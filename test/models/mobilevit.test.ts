import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { graphOf } from '../../src/graph/graph.js'
import { parametersOf, readDescription, withWeights } from '../../src/model-store/model-files.js'
import { canonicalNames } from '../../src/model-store/name-maps/canonical-names.js'
import { huggingFaceKeys } from '../../src/models/hugging-face-keys.js'
import { presets, readArchitecture, withChanges } from '../../src/models/index.js'
import { mobileVitFamily, readMobileVit } from '../../src/models/mobilevit-family.js'
import { programOf } from '../../src/models/model-definition.js'
import { resolveSettings } from '../../src/settings/resolve.js'
import { analyze } from '../../src/tasks/analyze/analyze.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'

const xs = defined(presets['mobilevit-xs'], 'the preset')

function json<T>(path: string): T {
  return JSON.parse(readFileSync(shared(path), 'utf8')) as T
}

describe.skipIf(!hasSharedData)(`beside the official MobileViT-XS${withoutSharedData}`, () => {
  type Layer = readonly [name: string, kind: string, ...form: unknown[]]
  const listing = json<{
    params: number
    state_dict: Readonly<Record<string, readonly number[]>>
    conv_linear_in_execution_order: readonly Layer[]
  }>('golden/mobilevit/xs_256_listing.json')

  test('every tensor of its checkpoint has a place, and nothing is missing once norms are folded', async () => {
    const zeros = (shape: readonly number[]) =>
      storedFrom(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)
    const stored = new Map(Object.entries(listing.state_dict).map(([name, shape]) => [name, zeros(shape)]))
    const files = await withWeights(readDescription({ config: xs.json }), stored, { source: 'the listing' })
    expect([...files.weights.keys()]).toEqual(parametersOf(xs).map(({ name }) => name))
    expect(analyze(xs).parametersWithNorms).toBe(listing.params)
  })

  test('its names become those of timm', () => {
    const map = json<Record<string, string>>('golden/mobilevit/xs_key_map_official_to_timm.json')
    const floats = Object.entries(map).filter(([name]) => !name.includes('num_batches_tracked'))
    const one = storedFrom(Float32Array.of(1), [1])
    const { tensors, dialect } = canonicalNames(new Map(floats.map(([name]) => [name, one])), xs.facts.names)
    expect(dialect).toBe('mobilevit')
    expect([...tensors.keys()].sort()).toEqual(floats.map(([, name]) => name).sort())
  })

  test('the same convolutions run, one after the other, on maps of the same sizes', () => {
    const { nodes } = graphOf('xs', programOf(xs.build(), 'classify'))
    const ours = nodes.flatMap(({ op, inputs: [x, weight], attributes: { stride, groups }, shape }) =>
      op === 'Convolution'
        ? [[weight?.shape.slice(2), [stride, stride], groups, x?.shape.slice(1), shape.slice(1)]]
        : [],
    )
    const theirs = listing.conv_linear_in_execution_order.flatMap(
      ([, kind, kernel, stride, , groups, from, to]) =>
        kind === 'Conv2d' ? [[kernel, stride, groups, from, to]] : [],
    )
    expect(ours).toEqual(theirs)
  })

  test('it costs what was counted beside the official code, at both sizes', () => {
    const { rows } = json<{ rows: Record<string, { linconv: number; total: number }> }>(
      '../spec/baseline-costs.json',
    )
    for (const side of [224, 256]) {
      const { linear, full } = analyze(withChanges(xs, { image_size: side })).multiplyAdds
      const row = defined(rows[`MobileViT-XS@${side}`], `${side}`)
      expect(linear / 1e9).toBeCloseTo(row.linconv, 4)
      expect(full / 1e9).toBeCloseTo(row.total, 4)
    }
  })
})

describe('a config.json', () => {
  const timm = {
    architecture: 'mobilevit_xs',
    num_classes: 1000,
    num_features: 384,
    pretrained_cfg: {
      tag: 'cvnets_in1k',
      input_size: [3, 256, 256],
      ...{ crop_pct: 0.9, interpolation: 'bicubic', mean: [0, 0, 0], std: [1, 1, 1] },
    },
  }

  test('of timm is read by its name, its pictures as timm makes them: red first', () => {
    const { architecture, preprocessing } = readDescription({ config: timm })
    expect(architecture.json).toEqual(xs.json)
    expect(preprocessing).toEqual({
      ...{ height: 256, width: 256, cropRatio: 0.9, cropMode: 'center', filter: 'bicubic' },
      ...{ mean: [0, 0, 0], std: [1, 1, 1] },
    })
  })

  // as the papers and timm's own listing have them
  test.each([
    ['mobilevit_xxs', 1_272_024],
    ['mobilevit_xs', 2_317_848],
    ['mobilevit_s', 5_578_632],
  ])('%s has %i parameters', (architecture, parameters) => {
    expect(analyze(readArchitecture({ architecture })).parametersWithNorms).toBe(parameters)
  })

  test('of Apple’s model on the hub is read with transformers’ defaults, blue first', () => {
    const config = {
      model_type: 'mobilevit',
      hidden_sizes: [96, 120, 144],
      neck_hidden_sizes: [16, 32, 48, 64, 80, 96, 384],
      id2label: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, `class ${i}`])),
    }
    const { architecture, preprocessing } = readDescription({ config })
    expect(architecture.json).toEqual(xs.json)
    expect(preprocessing).toMatchObject({ channelOrder: 'bgr', filter: 'bilinear', mean: [0, 0, 0] })
    expect(() => readMobileVit({ ...config, output_stride: 16 })).toThrow(
      'output_stride: only 32 is supported',
    )
  })

  test('written and read again is the same model, and says how pictures are made', () => {
    const { architecture, preprocessing } = readDescription({ config: xs.json })
    expect(architecture.json).toEqual(xs.json)
    expect(preprocessing).toMatchObject({ filter: 'bilinear', cropRatio: 256 / 288, mean: [0, 0, 0] })
    expect(preprocessing.channelOrder).toBeUndefined()
  })

  test('that other programs are told is a ViT is still the same model', () => {
    const keys = huggingFaceKeys(xs)
    expect(keys).toMatchObject({ model_type: 'vit', image_size: 256 })
    expect(readArchitecture(keys).json).toEqual(xs.json)
  })

  test('that can be no network is refused by its key', () => {
    const [first, ...others] = xs.json.stages as readonly Record<string, unknown>[]
    const withFirst = (changes: object) => ({ ...xs.json, stages: [{ ...first, ...changes }, ...others] })
    expect(() => readMobileVit(withFirst({ depth: 0 }))).toThrow(
      'stage 0 has no block (depth 0) that changes its width from 16 to 32',
    )
    expect(() => readMobileVit(withFirst({ widht: 3 }))).toThrow('widht')
    const transformer = { embed_dim: 10, depth: 1, num_heads: 4, mlp_dim: 8, patch_size: [2, 2] }
    expect(() => readMobileVit(withFirst({ transformer }))).toThrow(
      "embed_dim 10 can't be shared by num_heads 4",
    )
    expect(mobileVitFamily.read({ architecture: 'mobilevitv2_100' })).toBeUndefined()
  })
})

test('parameters learn with the block that they are of', () => {
  const { facts } = xs
  const layers = [
    'stem.conv.weight',
    'stages.1.2.conv3_1x1.conv.bias',
    'stages.4.1.conv_fusion.conv.weight',
    'head.fc.bias',
  ]
  expect(layers.map((name) => facts.layerOf(name))).toEqual([0, 4, 10, 11])
  expect(facts.blockScopes(10).block).toBe('stages.4.1')
})

test('settings of tokens are refused with a true word', () => {
  expect(() => resolveSettings(xs, { reduce: 'tome:8' })).toThrow(
    'tome is for plain ViTs and DeiTs; this one (mobilevit) has maps and no tokens that could go.',
  )
  expect(() => resolveSettings(xs, { keepRatio: 0.5 })).toThrow(
    'The model (mobilevit) has maps and no tokens that could go: keep ratio 0.5 is not for it.',
  )
})
