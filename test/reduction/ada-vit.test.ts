import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BlvitError } from '../../src/base/blvit-error.js'
import { graphOf } from '../../src/graph/graph.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { initialise } from '../../src/model-store/initialise.js'
import { parametersOf } from '../../src/model-store/model-files.js'
import { canonicalNames } from '../../src/model-store/name-maps/canonical-names.js'
import type { Architecture } from '../../src/models/architecture.js'
import { type BlockHooks, composeHooks, trainingHooks } from '../../src/models/block-loop.js'
import { withChanges } from '../../src/models/index.js'
import { outputOf } from '../../src/models/model-definition.js'
import { eventOutputs, followPatches } from '../../src/models/token-history.js'
import { allDecisions } from '../../src/reduction/ada-vit-decisions.js'
import { parseReduction } from '../../src/reduction/parse-reduction.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { resolveSettings } from '../../src/settings/resolve.js'
import { analyze } from '../../src/tasks/analyze/analyze.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import type { StoredTensor } from '../../src/weights/stored-tensor.js'
import { expectClose } from '../support/expect-close.js'
import { randomModel, randomPixels, shrunk } from '../support/tiny-models.js'

const learned = (of: Architecture, reduction = 'ada-vit:0.6') => withChanges(of, { reduction })
const vit = learned(shrunk('vit-tiny', { depth: 4 }))
const t2t = learned(
  withChanges(shrunk('t2t-vit-19', { patch_size: 16, image_size: [48, 64], depth: 3 }), { token_dim: 8 }),
)

const runtime = await nativeRuntime()

/** Logits, all decisions side by side and the rows that each MLP works on, all pictures at once or some. */
async function run(architecture: Architecture, reduction: string | undefined, pictures: number) {
  const { weights } = randomModel(architecture, { seed: 3 })
  const depth = architecture.facts.depth
  const own = reduction === undefined ? {} : parseReduction(reduction).hooks(architecture)
  const seen: Record<string, Tensor> = {}
  const looking: BlockHooks = {
    pool: (state) => {
      allDecisions(state, depth).forEach((block, i) => {
        for (const about of ['tokens', 'heads', 'layers'] as const) {
          const taken = block[about]?.taken
          if (taken) seen[`${i}.${about}`] = taken
        }
      })
      return undefined
    },
  }
  const model = architecture.build({ hooks: composeHooks(own, looking) })
  const logits = outputOf(model, 'classify', 'logits')
  const graph = graphOf('decided', { logits, ...seen })
  const widest = graph.nodes.filter(({ op, scope }) => op === 'Linear' && scope.endsWith('.mlp.fc1'))
  const asking = graph.nodes.filter(({ op, scope }) => op === 'Linear' && scope.endsWith('.attn.q'))
  const products = [...widest, ...asking].map((product) => [product.scope, product] as const)
  const outputs = { logits, ...seen, ...Object.fromEntries(products) }
  const session = await runtime.load(graphOf('decided', outputs), weights, { threads: 1 })
  const { count, values } = randomPixels(architecture, { count: pictures })
  const each = values.length / count
  const { height, width } = architecture.image
  const rows = (from: number, to: number) =>
    session.run({
      pixel_values: {
        dtype: 'float32',
        shape: [to - from, architecture.channels, height, width],
        values: values.slice(from * each, to * each),
      },
    })
  return { rows, fc1: widest.map(({ scope }) => scope), [Symbol.asyncDispose]: () => session.dispose() }
}

const numbers = (values: ArrayLike<number | bigint> | undefined) => Array.from(values ?? [], Number)

const threshold = fc.integer({ min: 30, max: 70 }).map((hundredths) => hundredths / 100)
const drawn = fc.record({
  tokens: threshold,
  others: threshold,
  decides: fc.constantFrom('tokens/heads/layers', 'tokens', 'layers', 'heads/layers', 'tokens/heads'),
  mlpOfAll: fc.boolean(),
  pictures: fc.integer({ min: 1, max: 3 }),
  of: fc.constantFrom('vit', 't2t'),
})

describe('AdaViT', () => {
  test(
    'computes for what is taken alone what it computes and masks, for pictures together and alone',
    () =>
      fc.assert(
        fc.asyncProperty(drawn, async ({ tokens, others, decides, mlpOfAll, pictures, of }) => {
          const architecture = of === 'vit' ? vit : t2t
          const text = `ada-vit:${tokens},threshold=${others},decides=${decides},mlp-of-all=${mlpOfAll}`
          await using gathered = await run(architecture, text, pictures)
          await using masked = await run(architecture, `${text},gather=false`, pictures)
          const [ours, all] = [await gathered.rows(0, pictures), await masked.rows(0, pictures)]
          const alone = await gathered.rows(pictures - 1, pictures)
          for (const [name, { values }] of Object.entries(all)) {
            if (name.endsWith('.fc1') || name.endsWith('.q')) continue
            // decisions are ones and zeros; the same sums with zeros between them
            const tolerance = name === 'logits' ? { atol: 2e-4, rtol: 1e-4 } : { atol: 0 }
            expectClose(numbers(ours[name]?.values), numbers(values), tolerance)
            const length = values.length / pictures
            expectClose(numbers(alone[name]?.values), numbers(values).slice(-length), tolerance)
          }
        }),
        { numRuns: 12 },
      ),
    60_000,
  )

  test.each(['vit', 't2t'])('with no threshold is the plain model: %s', async (of) => {
    const architecture = of === 'vit' ? vit : t2t
    await using everything = await run(architecture, 'ada-vit:0,threshold=0', 2)
    await using plain = await run(architecture, undefined, 2)
    const [ours, theirs] = [await everything.rows(0, 2), await plain.rows(0, 2)]
    expectClose(numbers(ours.logits?.values), numbers(theirs.logits?.values), { atol: 1e-5, rtol: 1e-5 })
  })

  test('leaves out the work: rows of each MLP are those of the picture that takes most', async () => {
    await using together = await run(vit, 'ada-vit:0.55', 3)
    await using plain = await run(vit, undefined, 3)
    const [results, all] = [await together.rows(0, 3), await plain.rows(0, 3)]
    const rowsOf = (of: typeof results, name: string) => of[name]?.shape[1]
    let fewer = 0
    together.fc1.forEach((name, block) => {
      const tokens = numbers(results[`${block}.tokens`]?.values)
      const layers = numbers(results[`${block}.layers`]?.values)
      const taken = [0, 1, 2].map((picture) => {
        const own = tokens.slice(picture * 13, (picture + 1) * 13).reduce((a, b) => a + b, 0)
        return layers.length === 0 ? own : own * (layers[2 * picture + 1] ?? Number.NaN)
      })
      expect(rowsOf(results, name), name).toBe(Math.max(1, ...taken))
      expect(rowsOf(all, name)).toBe(13)
      if (Math.max(1, ...taken) < 13) fewer++
    })
    expect(fewer).toBeGreaterThan(0)
  })

  test('makes queries of the heads alone that a picture of the batch takes', async () => {
    await using together = await run(vit, 'ada-vit:0.6,threshold=0.5,decides=tokens/heads', 3)
    for (const pictures of [1, 3]) {
      const results = await together.rows(0, pictures)
      const named = Object.entries(results).filter(([name]) => name.endsWith('.attn.q'))
      expect(named.length).toBe(4)
      for (const [name, { shape }] of named.slice(1)) {
        const block = Number(name.split('.')[1])
        const heads = numbers(results[`${block}.heads`]?.values)
        const count = heads.length / pictures
        const inAny = Array.from({ length: count }, (_, head) =>
          Math.max(...Array.from({ length: pictures }, (_, i) => heads[i * count + head] ?? 0)),
        )
        const taken = inAny.reduce((a, b) => a + b, 0)
        expect(Number(shape.at(-1)), name).toBe((Math.max(1, taken) * vit.facts.width) / count)
      }
    }
  })

  test('tells the cost of measured counts, and at most the plain one with its decisions', () => {
    const [plain, most] = [analyze(withChanges(vit, { reduction: 'none' })), analyze(vit)]
    const deciding = most.multiplyAdds.full / plain.multiplyAdds.full
    expect(deciding).toBeGreaterThanOrEqual(1)
    expect(deciding).toBeLessThan(1.05)
    const counted = Object.keys(most.counted ?? {})
    expect(counted).toContain('blocks.2.ada_vit.mlp')
    const few = (name: string) => (name.endsWith('.heads') ? 1 : 6)
    const half = analyze(vit, { measured: Object.fromEntries(counted.map((name) => [name, few(name)])) })
    expect(half.multiplyAdds.full).toBeLessThan(0.6 * most.multiplyAdds.full)
  })

  test('tells in a trace which patches each block works on, and what it skips', async () => {
    const { hooks } = resolveSettings(vit, { reduce: 'ada-vit:0.5' }).build
    const { history } = vit.build(hooks ? { hooks } : {})
    const outputs = eventOutputs(history)
    const { weights } = randomModel(vit, { seed: 3 })
    await using session = await runtime.load(graphOf('told', outputs), weights, { threads: 1 })
    const { values } = randomPixels(vit)
    const { height, width } = vit.image
    const feeds = { pixel_values: { dtype: 'float32' as const, shape: [1, 3, height, width], values } }
    const results = await session.run(feeds)
    const steps = followPatches(history, (name) => numbers(results[name]?.values), { prefix: 1, patches: 12 })
    expect(steps.map(({ layer, route }) => [layer, route?.layers])).toEqual([
      [0, [1]],
      [1, [2]],
      [2, [3]],
      [3, [4]],
    ])
    for (const [i, { route, tokens, patchToken }] of steps.entries()) {
      expect(tokens).toBe(12)
      expect(patchToken).toHaveLength(12)
      const layers = numbers(results[`event${i}.layers`]?.values)
      const above = numbers(results[`event${i}.scores`]?.values).flatMap((score, patch) =>
        score > 0.5 ? [patch] : [],
      )
      const runs = i === 0 || layers.some((taken) => taken === 1)
      expect(route?.chosen).toEqual(runs ? above : [])
      const skipped = ['attention skipped', 'MLP skipped'].filter((_, half) => layers[half] === 0)
      expect(route?.decided?.filter((words) => words.endsWith('skipped'))).toEqual(skipped)
    }
  })

  test('can be written for WebGPU where it masks, and else says why not', () => {
    const written = (text: string) => {
      const { hooks } = resolveSettings(vit, { reduce: text }).build
      const model = vit.build(hooks ? { hooks } : {})
      const graph = graphOf('decided', { logits: outputOf(model, 'classify', 'logits') })
      return toOnnx(graph, { target: 'webgpu', storageOf: () => 'fed' }).length
    }
    expect(written('ada-vit:0.6,gather=false')).toBeGreaterThan(1_000)
    expect(() => written('ada-vit:0.6')).toThrow(/is decided by each picture, but on WebGPU/)
  })
})

describe('weights of AdaViT', () => {
  const names = parametersOf(vit).map(({ name }) => name)

  test('are those of the official code: tokens in every block, heads and layers from the second on', () => {
    const own = names.filter((name) => vit.facts.partOf(name) === 'predictors')
    expect(own).toHaveLength(2 * (4 + 3 + 3))
    expect(own).toContain('blocks.0.attn.token_select.mlp_head.weight')
    expect(own).not.toContain('blocks.0.head_select.mlp_head.weight')
    expect(own).toContain('blocks.3.layer_select.mlp_head.bias')
    expect(vit.facts.layerOf('blocks.3.layer_select.mlp_head.bias')).toBe(4)
    const fewer = parametersOf(learned(vit, 'ada-vit:0.6,decides=tokens')).map(({ name }) => name)
    expect(fewer.filter((name) => /select/.test(name))).toHaveLength(2 * 4)
  })

  test.each([
    ['ada-vit:0.6', 0],
    ['ada-vit:0.6,start=5', 5],
  ])('begin as asked: %s', async (reduction, start) => {
    const { weights } = initialise(learned(vit, reduction), { seed: 0 })
    const biases = [...weights].filter(([name]) => /select\.mlp_head\.bias$/.test(name))
    expect(biases).toHaveLength(4 + 3 + 3)
    for (const [, bias] of biases) expect(new Set(await readFloats(bias))).toEqual(new Set([start]))
  })

  test.each([
    ['a DeiT', vit],
    ['a T2T-ViT', t2t],
  ])('with queries, keys and values apart, as the official code saves them: %s', async (_, architecture) => {
    const { weights } = randomModel(architecture)
    const official = new Map<string, StoredTensor>()
    for (const [name, tensor] of weights) {
      const [, block, last] = /^(blocks\.\d+)\.attn\.qkv\.(\w+)$/.exec(name) ?? []
      if (block === undefined) {
        official.set(name, tensor)
        continue
      }
      const values = await readFloats(tensor)
      const third = values.length / 3
      const shape = tensor.shape.with(0, (tensor.shape[0] ?? 0) / 3)
      for (const [i, part] of ['query', 'key', 'value'].entries()) {
        const own = values.slice(i * third, (i + 1) * third)
        official.set(`${block}.attn.${part}.${last}`, storedFrom(own, shape))
      }
    }
    const { tensors, dialect } = canonicalNames(official, architecture.facts.names)
    expect(dialect).toBe('adavit')
    expect([...tensors.keys()].sort()).toEqual([...weights.keys()].sort())
    for (const [name, tensor] of tensors) {
      const expected = weights.get(name)
      expect(tensor.shape, name).toEqual(expected?.shape)
      if (expected && name.includes('qkv'))
        expect(await readFloats(tensor)).toEqual(await readFloats(expected))
    }
  })

  test('are there for a model that names the method alone', () => {
    const named = learned(shrunk('vit-tiny', { depth: 4 }), 'ada-vit')
    expect(resolveSettings(named).key).toBe('ada-vit:0.6')
    expect(parametersOf(named).map(({ name }) => name)).toEqual(names)
    expect(resolveSettings(named, { reduce: 'ada-vit:0.3,threshold=0.4' }).key).toBe(
      'ada-vit:0.3,threshold=0.4',
    )
  })

  test('that a model lacks are asked for by name', () => {
    const complaint = (architecture: Architecture, reduce: string) => {
      try {
        resolveSettings(architecture, { reduce })
      } catch (thrown) {
        if (thrown instanceof BlvitError) return `${thrown.code}: ${thrown.message}`
        throw thrown
      }
      return 'nothing'
    }
    const plain = shrunk('vit-tiny')
    expect(complaint(plain, 'ada-vit:0.6')).toMatch(/^BAD_OPTION: ada-vit needs the maps that decide/)
    const tokens = learned(plain, 'ada-vit:0.6,decides=tokens')
    expect(complaint(tokens, 'ada-vit:0.6')).toBe(
      'BAD_OPTION: ada-vit shall decide about layers and heads, but this model has weights for tokens. Say decides=tokens.',
    )
    expect(complaint(vit, 'ada-vit:0.6,keep-layers=0')).toMatch(/from block 1 on: keep-layers=1 or more/)
    expect(complaint(vit, 'ada-vit:0.6,decides=head')).toMatch(/some of layers\/heads\/tokens/)
    expect(complaint(vit, 'ada-vit:1')).toMatch(/from 0 to below 1/)
    expect(complaint(learned(shrunk('deit-tiny-distilled')), 'ada-vit:0.6')).toMatch(/distilled/)
  })
})

test('what is learned: losses of usage, one for each kind that is decided about', () => {
  const lossesOf = (reduction: string) => {
    const { hooks } = resolveSettings(learned(vit, reduction)).build
    const model = vit.build({ hooks: trainingHooks(hooks ?? {}) })
    return Object.keys(model.training?.losses ?? {})
  }
  expect(lossesOf('ada-vit:0.6')).toEqual(['headUsage', 'layerUsage', 'tokenUsage'])
  expect(lossesOf('ada-vit:0.6,decides=heads')).toEqual(['headUsage'])
})
