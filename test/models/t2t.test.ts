import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { graphOf } from '../../src/graph/graph.js'
import { initialWeights } from '../../src/model-store/initial-weights.js'
import { parametersOf } from '../../src/model-store/model-files.js'
import type { Architecture } from '../../src/models/architecture.js'
import { presets, readArchitecture, withChanges } from '../../src/models/index.js'
import { parseReduction } from '../../src/reduction/parse-reduction.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { analyze } from '../../src/tasks/analyze/analyze.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'
import { outputsOf, randomModel, randomPixels } from '../support/tiny-models.js'

const t2t19 = presets['t2t-vit-19'] as Architecture
const tiny = withChanges(t2t19, {
  image_size: [32, 48],
  depth: 3,
  embed_dim: 24,
  num_heads: 3,
  token_dim: 8,
  num_classes: 5,
})

const startOf = async (architecture: Architecture, name: string, seed = 0) => {
  const parameter = parametersOf(architecture).find((one) => one.name === name)
  if (!parameter) throw new Error(`no parameter ${name}`)
  return { values: await readFloats(initialWeights(parameter, { seed })), shape: parameter.shape }
}

describe('T2T-ViT-19', () => {
  test.skipIf(!hasSharedData)(
    `has the parameters of the official model, name by name${withoutSharedData}`,
    () => {
      const { state_dict: official } = JSON.parse(
        readFileSync(shared('golden/t2t/t2t_vit_19_listing.json'), 'utf8'),
      ) as { state_dict: Record<string, number[]> }
      expect(Object.fromEntries(parametersOf(t2t19).map(({ name, shape }) => [name, shape]))).toEqual(
        official,
      )
    },
  )

  test('counts as the paper does: 39.2 M parameters with the fixed tables, 8.5 G multiply-adds', () => {
    const { parameters, multiplyAdds, parts } = analyze(t2t19)
    expect(parameters).toBe(39_177_422)
    // 7.513 G blocks, 0.274 G maps of the stem; products of attention 0.661 G and 0.032 G
    expect(multiplyAdds.linear / 1e9).toBeCloseTo(7.787, 3)
    expect(multiplyAdds.full / 1e9).toBeCloseTo(8.48, 3)
    const stem = parts.find(({ part }) => part === 'patchEmbedding')?.multiplyAdds
    expect((stem?.linear ?? 0) / 1e9).toBeCloseTo(0.274, 3)
    expect(((stem?.full ?? 0) - (stem?.linear ?? 0)) / 1e9).toBeCloseTo(0.032, 3)
  })

  test('learns all but its positions and the random features of its performers', () => {
    const fixed = parametersOf(t2t19).filter(({ learns }) => !learns)
    expect(fixed.map(({ name }) => name).sort()).toEqual([
      'pos_embed',
      'tokens_to_token.attention1.w',
      'tokens_to_token.attention2.w',
    ])
    expect(t2t19.facts.layerOf('tokens_to_token.attention2.kqv.weight')).toBe(0)
    expect(t2t19.facts.partOf('tokens_to_token.project.bias')).toBe('patchEmbedding')
  })
})

describe('what training starts from', () => {
  test.skipIf(!hasSharedData)(`positions are the official sinusoids${withoutSharedData}`, async () => {
    const golden = await readGolden(shared('golden/t2t/performer.safetensors'))
    const like = withChanges(tiny, { image_size: 64, token_dim: 16 })
    const { values, shape } = await startOf(like, 'pos_embed')
    expect(shape).toEqual(golden.shape('w/pos_embed'))
    // both were computed in double precision and rounded once
    expectClose(values, golden.floats('w/pos_embed'), { atol: 6e-8 })
  })

  test('random features stand at right angles, each of length √m, and follow from the seed', async () => {
    const name = 'tokens_to_token.attention1.w'
    const { values, shape } = await startOf(t2t19, name)
    expect(shape).toEqual([32, 64])
    const row = (i: number) => Array.from(values.subarray(64 * i, 64 * (i + 1)))
    const product = (i: number, j: number) => row(i).reduce((sum, x, c) => sum + x * (row(j)[c] ?? 0), 0)
    for (const i of [0, 7, 31])
      for (const j of [0, 7, 31]) expect(product(i, j)).toBeCloseTo(i === j ? 32 : 0, 4)
    expect((await startOf(t2t19, name)).values).toEqual(values)
    expect((await startOf(t2t19, name, 1)).values).not.toEqual(values)
  })
})

describe('a config.json', () => {
  test('is read back as it was written', () => {
    for (const architecture of [t2t19, tiny, presets['t2t-vit-t-19'] as Architecture]) {
      expect(readArchitecture(architecture.json).json).toEqual(architecture.json)
    }
    const biased = withChanges(tiny, { qkv_bias: true })
    expect(parametersOf(biased).map(({ name }) => name)).toContain('blocks.0.attn.qkv.bias')
    expect(readArchitecture(biased.json).json).toEqual(biased.json)
  })

  test('with an official name needs no sizes', () => {
    expect(readArchitecture({ architecture: 't2t_vit_19' }).json).toEqual(t2t19.json)
    expect(readArchitecture({ architecture: 'T2t_vit_t_19' }).json).toEqual(presets['t2t-vit-t-19']?.json)
    expect(() => readArchitecture({ architecture: 't2t_vit_14' })).toThrow(
      /doesn't say "embed_dim".*t2t_vit_19/,
    )
    const sized = { architecture: 't2t_vit_14', embed_dim: 384, depth: 14, num_heads: 6 }
    expect(readArchitecture(sized).json).toMatchObject({ depth: 14, mlp_ratio: 3, tokens_type: 'performer' })
  })

  test.each([
    [{ tokens_type: 'convolution' }, /tokens_type.*"performer"\|"transformer"/],
    [{ image_size: 100 }, /100×100 is not a multiple of patch_size 16/],
    [{ patch_size: 8 }, /a token of 16 × 16 pixels/],
    [{ distilled: true }, /no distillation token/],
    [{ qk_scale: 0.05 }, /headWidth\^-0.5/],
    [{ num_heads: 5 }, /embed_dim 24 can't be shared by num_heads 5/],
    [{ token_dim: 1 }, /token_dim/],
  ])('is refused with %j', (changes, complaint) => {
    expect(() => readArchitecture({ ...tiny.json, ...changes })).toThrow(complaint)
  })
})

test.each(['performer', 'transformer'])(
  'pictures that are no squares, together and alone, plain and reduced: %s',
  async (tokens_type) => {
    const architecture = withChanges(tiny, { tokens_type })
    const { weights } = randomModel(architecture)
    const pixels = randomPixels(architecture, { count: 2 })
    const shape = (count: number) => [count, 3, 32, 48]
    for (const text of [undefined, 'evit:0.5,blocks=1', 'tome:1']) {
      const hooks = text === undefined ? undefined : parseReduction(text).hooks(architecture)
      const model = architecture.build(hooks ? { hooks } : {})
      const graph = graphOf('t2t', { logits: outputsOf(model).logits })
      await using session = await (await nativeRuntime()).load(graph, weights, { threads: 1 })
      const run = async (values: Float32Array, count: number) => {
        const feeds = { pixel_values: { dtype: 'float32' as const, shape: shape(count), values } }
        return Array.from((await session.run(feeds)).logits?.values ?? [], Number)
      }
      const together = await run(pixels.values, 2)
      const each = pixels.values.length / 2
      const second = await run(pixels.values.slice(each), 1)
      expect(together).toHaveLength(10)
      // sums of a few hundred terms in another order
      expectClose(second, together.slice(5), { atol: 1e-5, rtol: 1e-4 })
      expect(model.history).toHaveLength(text === undefined ? 0 : text.startsWith('evit') ? 1 : 3)
    }
  },
)
