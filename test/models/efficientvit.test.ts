import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { Engine } from '../../src/engine/engine.js'
import { graphOf } from '../../src/graph/graph.js'
import { atImageSize } from '../../src/model-store/image-size.js'
import { parametersOf, readDescription, withWeights } from '../../src/model-store/model-files.js'
import { canonicalNames } from '../../src/model-store/name-maps/canonical-names.js'
import { efficientVitFamily, readEfficientVit } from '../../src/models/efficientvit-family.js'
import { presets, readArchitecture, withChanges } from '../../src/models/index.js'
import { programOf } from '../../src/models/model-definition.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import { analyze } from '../../src/tasks/analyze/analyze.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import type { StoredTensor, StoredTensors } from '../../src/weights/stored-tensor.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'

const m5 = defined(presets['efficientvit-m5'], 'the preset')

function json<T>(path: string): T {
  return JSON.parse(readFileSync(shared(path), 'utf8')) as T
}

/** Zeros without memory: names and shapes are all that a listing says. */
function listed(shape: readonly number[]): StoredTensor {
  return storedFrom(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)
}

describe.skipIf(!hasSharedData)(`beside the official EfficientViT-M5${withoutSharedData}`, () => {
  type Layer = readonly [name: string, kind: string, input: readonly number[], output: readonly number[]]
  const listing = json<{
    params: number
    state_dict: Readonly<Record<string, readonly number[]>>
    conv_linear_in_execution_order: readonly Layer[]
  }>('golden/efficientvit/m5_224_listing.json')

  test('every tensor of its checkpoint has a place, and nothing is missing once norms are folded', async () => {
    const stored = new Map(Object.entries(listing.state_dict).map(([name, shape]) => [name, listed(shape)]))
    const files = await withWeights(readDescription({ config: m5.json }), stored, { source: 'the listing' })
    expect([...files.weights.keys()]).toEqual(parametersOf(m5).map(({ name }) => name))
    expect(analyze(m5).parametersWithNorms).toBe(listing.params)
  })

  test('its names become those of timm', () => {
    const map = json<Record<string, string>>('golden/efficientvit/m5_key_map_official_to_timm.json')
    // integers aren't parameters, see safetensors/read.ts
    const floats = Object.entries(map).filter(([name]) => !/num_batches_tracked|bias_idxs/.test(name))
    const one = storedFrom(Float32Array.of(1), [1])
    const { tensors, dialect } = canonicalNames(new Map(floats.map(([name]) => [name, one])), m5.facts.names)
    expect(dialect).toBe('efficientvit')
    expect([...tensors.keys()].sort()).toEqual(floats.map(([, name]) => name).sort())
  })

  test('the same convolutions run, one after the other, on maps of the same sizes', () => {
    const { nodes } = graphOf('m5', programOf(m5.build(), 'classify'))
    const ours = nodes.flatMap(({ op, inputs: [x], shape }) =>
      op === 'Convolution' ? [[x?.shape.slice(1), shape.slice(1)]] : [],
    )
    const theirs = listing.conv_linear_in_execution_order.flatMap(([, kind, from, to]) =>
      kind === 'Conv2d' ? [[from, to]] : [],
    )
    expect(ours).toEqual(theirs)
  })

  test('it costs what was counted beside the official code', () => {
    const { rows } = json<{ rows: Record<string, { linconv?: number; total?: number }> }>(
      '../spec/baseline-costs.json',
    )
    for (const [name, side, window] of [
      ['EfficientViT-M5@224', 224, 7],
      ['EfficientViT-M5@384 window12', 384, 12],
      ['EfficientViT-M5@512 window7', 512, 7],
      ['EfficientViT-M5@512 window8', 512, 8],
      ['EfficientViT-M5@512 window16', 512, 16],
    ] as const) {
      const sized = withChanges(m5, { image_size: side, window_size: [window, window, window] })
      const { linear, full } = analyze(sized).multiplyAdds
      // the rows have four digits after the point at most
      expect(linear / 1e9, name).toBeCloseTo(rows[name]?.linconv ?? Number.NaN, 4)
      expect(full / 1e9, name).toBeCloseTo(rows[name]?.total ?? Number.NaN, 4)
    }
    expect(presets['efficientvit-m5-512']?.json.window_size).toEqual([16, 16, 16])
  })
})

describe.skipIf(!hasSharedData)(`a checkpoint of the official code${withoutSharedData}`, async () => {
  const file = json<{ cases: Record<string, { config: Record<string, unknown> }> }>(
    'golden/efficientvit/golden.json',
  )
  const { config = {} } = file.cases.small_window ?? {}
  const { runtime } = await chooseRuntime('auto', { thread: 'caller' })
  const golden = await readGolden(shared('golden/efficientvit/small_window.safetensors'))
  const description = readDescription({ config: { model_type: 'efficientvit', ...config, image_size: 128 } })

  async function logitsOf(weights: StoredTensors): Promise<Float32Array> {
    const files = await withWeights(description, weights, { source: 'the case' })
    await using engine = await Engine.load({ ...files, runtime }, (model) => programOf(model, 'classify'))
    const { outputs } = await engine.run({ batch: 1, inputs: { pixel_values: golden.floats('in/x') } })
    return Float32Array.from(outputs.logits?.values ?? [], Number)
  }

  test('an old one, whose maps of one pixel are matrices, gives the same answer', async () => {
    const old = new Map(
      [...golden.weights('w/')].map(([name, tensor]) => {
        const isPixel =
          tensor.shape.length === 4 && tensor.shape.slice(2).join() === '1,1' && !name.includes('.se.')
        return [name, isPixel ? { ...tensor, shape: tensor.shape.slice(0, 2) } : tensor]
      }),
    )
    expect([...old.values()].filter(({ shape }) => shape.length === 2).length).toBeGreaterThan(20)
    expectClose(await logitsOf(old), golden.floats('out/logits'), { atol: 1e-4 })
  })

  test('without a norm’s variance is refused, with what is missing', async () => {
    const broken = new Map(golden.weights('w/'))
    broken.delete('blocks1.0.dw0.m.bn.running_mean')
    await expect(withWeights(description, broken, { source: 'it' })).rejects.toThrow(
      'The batch norm stages.0.blocks.0.dw0.m.bn is stored without running_mean.',
    )
  })

  test('at another size: biases of windows that then have another side are resampled', async () => {
    const files = await withWeights(description, golden.weights('w/'), { source: 'it' })
    const name = 'stages.2.blocks.0.mixer.m.attn.attention_biases'
    // at 128 pixels the last map has 2×2 places, at 256 it fills a window of 4×4
    const larger = await atImageSize(files, 256)
    expect([files, larger].map(({ weights }) => weights.get(name)?.shape)).toEqual([
      [2, 4],
      [2, 16],
    ])
    const before = await readFloats(defined(files.weights.get(name), name))
    const after = await readFloats(defined(larger.weights.get(name), name))
    const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0)
    // each of the four is spread over four places
    expect(sum(after.subarray(0, 16))).toBeCloseTo(4 * sum(before.subarray(0, 4)), 4)
    expect(larger.weights.get('stages.0.blocks.0.mixer.m.attn.attention_biases')?.shape).toEqual([2, 16])
  })
})

describe('a config.json', () => {
  const ours = m5.json

  test('of timm stands for the sizes of its name, and its own words count more', () => {
    const timm = {
      architecture: 'efficientvit_m5',
      num_classes: 1000,
      num_features: 384,
      global_pool: 'avg',
      pretrained_cfg: { tag: 'r224_in1k', input_size: [3, 224, 224], num_classes: 1000, crop_pct: 0.875 },
    }
    expect(readArchitecture(timm).json).toEqual(ours)
    const changed = readArchitecture({ ...timm, num_classes: 7, model_args: { window_size: [4, 4, 4] } })
    expect(changed.json).toEqual({ ...ours, num_classes: 7, window_size: [4, 4, 4] })
  })

  test('written and read again is the same model', () => {
    for (const preset of Object.values(efficientVitFamily.presets)) {
      expect(readArchitecture(preset.json)).toMatchObject({ json: preset.json, family: 'efficientvit' })
    }
  })

  test.each<[string, Record<string, unknown>]>([
    ['image_size 225 is not a multiple of 16', { image_size: 225 }],
    ['image_size 224×448 is no square', { image_size: [224, 448] }],
    ["embed_dim 100 can't be shared by num_heads 3", { embed_dim: [100, 288, 384] }],
    ['depth has 2 values, but embed_dim says that there are 3 stages', { depth: [1, 3] }],
    ['num_heads is 4, but kernels has only 3 values', { kernels: [7, 5, 3] }],
    ['kernels must be odd', { kernels: [7, 5, 3, 4] }],
    ['patch_size', { patch_size: 8 }],
  ])('is refused: %s', (complaint, changes) => {
    expect(() => readEfficientVit({ ...ours, ...changes })).toThrow(complaint)
  })

  test('of a network that only shares the name is another’s', () => {
    expect(efficientVitFamily.read({ architecture: 'efficientvit_b0' })).toBeUndefined()
    expect(() => readArchitecture({ architecture: 'efficientvit_m9' })).toThrow(
      'blvit doesn\'t know the architecture "efficientvit_m9"',
    )
  })
})

test('parameters learn with the block that they lead to', () => {
  const { facts } = m5
  const layers = [
    'patch_embed.conv1.conv.weight',
    'stages.0.blocks.0.dw0.m.conv.weight',
    'stages.1.downsample.res1.0.m.conv.weight',
    'stages.1.blocks.2.ffn1.m.pw1.conv.bias',
    'stages.2.blocks.3.mixer.m.attn.proj.1.conv.weight',
    'head.linear.weight',
  ].map((name) => facts.layerOf(name))
  expect(layers).toEqual([0, 1, 2, 4, 8, 9])
  expect(facts.depth).toBe(8)
  expect(facts.blockScopes(8).block).toBe('stages.2.blocks.3')
})
