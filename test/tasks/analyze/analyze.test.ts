import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addCosts, conventions, noCost } from '../../../src/graph/cost.js'
import { evaluate } from '../../../src/graph/dim.js'
import { graphOf } from '../../../src/graph/graph.js'
import { zeros } from '../../../src/graph/initialiser.js'
import { buffer, compact, input, linear, multiply, parameter } from '../../../src/graph/ops/index.js'
import { scope } from '../../../src/graph/scope.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import { findConfiguration } from '../../../src/model-store/node/find-configuration.js'
import type { Architecture } from '../../../src/models/architecture.js'
import { presets } from '../../../src/models/index.js'
import { programOf } from '../../../src/models/model-definition.js'
import { resolveSettings } from '../../../src/settings/resolve.js'
import { analyze, printedGraph } from '../../../src/tasks/analyze/analyze.js'
import type { ScopeTree } from '../../../src/tasks/analyze/scopes.js'
import { type MultiplyAdds, sumOf } from '../../../src/tasks/analyze/shares.js'

/** The sizes of a tensor in a graph that was built with all of them decided. */
function numbers(tensor: Tensor | undefined): number[] {
  return (tensor?.shape ?? []).map((dim) => evaluate(dim, { batch: 1 }))
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1)
}

/** Multiply-adds by counting with loops over plain shapes: nothing of the ops' own cost rules. */
const countedBy: Readonly<
  Record<string, (node: Tensor) => Partial<Record<'product' | 'attention' | 'norm', number>>>
> = {
  Linear: (node) => ({ product: product(numbers(node)) * (numbers(node.inputs[0]).at(-1) ?? 0) }),
  Convolution: (node) => ({ product: product(numbers(node)) * product(numbers(node.inputs[1]).slice(1)) }),
  // only a stack of matrices is a product of attention
  MatMul: (node) => {
    const inner = numbers(node.inputs[0]).at(node.attributes.transposeA ? -2 : -1) ?? 0
    const macs = product(numbers(node)) * inner
    return numbers(node.inputs[1]).length > 2 ? { attention: macs } : { product: macs }
  },
  LayerNorm: (node) => ({ norm: product(numbers(node)) }),
  Attention: (node) => ({ attention: 2 * product(numbers(node)) * (numbers(node.inputs[1])[1] ?? 0) }),
  QueryAttention: (node) => ({ attention: product(numbers(node.inputs[1])) }),
}

function recount(architecture: Architecture, keepRatio: number | undefined): MultiplyAdds {
  const model = architecture.build({ sizes: resolveSettings(architecture, { keepRatio }).sizes })
  const { nodes } = graphOf('recount', programOf(model, 'classify'))
  const total = { product: 0, attention: 0, norm: 0 }
  for (const node of nodes) {
    const counted = countedBy[node.op]?.(node) ?? {}
    total.product += counted.product ?? 0
    total.attention += counted.attention ?? 0
    total.norm += counted.norm ?? 0
  }
  return {
    linear: total.product,
    thop: total.product + 4 * total.norm,
    full: total.product + total.attention,
  }
}

const micro = presets['micro+16'] as Architecture
const plain = presets['vit-micro'] as Architecture

describe('multiply-adds', () => {
  test('of every preset that classifies equal a recount in plain numbers', () => {
    // Segment Anything's are compared with official counts in test/models/sam.test.ts
    for (const [name, preset] of Object.entries(presets)) {
      if (preset.usualRun) continue
      expect(analyze(preset).multiplyAdds, name).toEqual(recount(preset, undefined))
    }
  })

  test.each([
    {},
    { semi_cross: false },
    { semi_cross: false, selection: 'cls' },
    { fuse: 'block' },
    { little: null },
  ])('of a bLViT with %o equal a recount at any keep ratio', async (set) => {
    const architecture = await findConfiguration('micro+16', { set })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), (kept) => {
        const keepRatio = kept / 64
        expect(analyze(architecture, { keepRatio }).multiplyAdds).toEqual(recount(architecture, keepRatio))
      }),
      { numRuns: 12 },
    )
  })

  test('are a polynomial in batch and kept patches', () => {
    const model = micro.build()
    const cost = graphOf('micro', programOf(model, 'classify'), { sizes: model.sizes })
      .nodes.map((node) => node.cost())
      .reduce(addCosts, noCost)
    for (const keepRatio of [0.125, 0.25, 0.5, 1]) {
      const { multiplyAdds, kept = 0 } = analyze(micro, { keepRatio, batch: 3 })
      for (const [name, total] of Object.entries(conventions)) {
        expect(evaluate(total(cost), { batch: 3, kept })).toBe(multiplyAdds[name as keyof MultiplyAdds])
      }
    }
    expect(analyze(micro).formulas.linear).toBe('122880·batch·kept+6718080·batch')
  })

  test('grow with the batch, parameters do not', () => {
    const [one, eight] = [analyze(micro), analyze(micro, { batch: 8 })]
    expect(eight.multiplyAdds.full).toBe(8 * one.multiplyAdds.full)
    expect(eight.activations).toBe(8 * one.activations)
    expect(eight.parameters).toBe(one.parameters)
  })

  test('of tokens that each picture counts are told by the measured mean of the count', () => {
    const adaptive: Architecture = {
      ...plain,
      build: () => {
        const tokens = parameter('tokens', [9, 4], zeros)
        const kept = scope('blocks.0', () => compact(tokens, input('mask', [9]), { size: 'kept' }))
        const logits = linear(
          kept,
          parameter('head.weight', [2, 4], zeros),
          parameter('head.bias', [2], zeros),
        )
        return { programs: { classify: { logits } }, history: [], sizes: [] }
      },
    }
    expect(analyze(adaptive, { measured: { 'blocks.0.kept': 4.5 } }).multiplyAdds.full).toBe(36)
    expect(analyze(adaptive, { measured: { 'blocks.0.kept': 4.5 } }).formulas.full).toBe('8·blocks.0.kept')
    // unless it was measured, as if all were kept
    expect(analyze(adaptive)).toMatchObject({ counted: { 'blocks.0.kept': 9 }, multiplyAdds: { full: 72 } })
    expect(() => analyze(adaptive, { measured: { 'blocks.1.kept': 4.5 } })).toThrow(
      'measured has "blocks.1.kept", which no picture decides here. Sizes that pictures decide: blocks.0.kept.',
    )
  })

  test('leave buffers out of the parameters, as papers do', () => {
    const buffered: Architecture = {
      ...plain,
      build: () => {
        const logits = multiply(parameter('scale', [2], zeros), buffer('mean', [5, 2], zeros))
        return { programs: { classify: { logits } }, history: [], sizes: [] }
      },
    }
    expect(analyze(buffered).parameters).toBe(2)
  })

  test('of a map that only features need are not counted', () => {
    expect(printedGraph(micro)).not.toContain('→ features')
    expect(printedGraph(micro)).toContain('→ logits')
  })
})

describe('every way of taking a model apart', () => {
  const subjects = [micro, plain, presets['b+t'], presets['deit-tiny-distilled']] as Architecture[]

  test.each(subjects)('sums to the whole', (architecture) => {
    const { parameters, multiplyAdds, parts, layers, scopes } = analyze(architecture)
    for (const tallies of [parts, layers, [scopes]]) {
      expect(sumOf(tallies)).toEqual({ parameters, multiplyAdds })
    }
    expect(parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(4 * parameters)
  })

  test.each(subjects)('holds at every scope of the tree', (architecture) => {
    const check = (tree: ScopeTree): void => {
      const { parameters, multiplyAdds, own, scopes } = tree
      expect(sumOf([own, ...scopes]), tree.path).toEqual({ parameters, multiplyAdds })
      scopes.forEach(check)
    }
    check(analyze(architecture).scopes)
  })

  test('names no part "other" in any family', () => {
    for (const preset of Object.values(presets)) {
      expect(analyze(preset).parts.map(({ part }) => part)).not.toContain('other')
    }
  })

  test('shows only the parts that a model has', () => {
    const names = (architecture: Architecture) => analyze(architecture).parts.map(({ part }) => part)
    expect(names(plain)).toEqual(['patchEmbedding', 'tokens', 'blocks', 'norm', 'head'])
    expect(names(micro)).toEqual([
      'patchEmbedding',
      'tokens',
      'blocks',
      'littleBlocks',
      'gates',
      'predictors',
      'norm',
      'head',
    ])
  })
})

describe('the table of layers', () => {
  test('says how many tokens the P-blocks process and where patches are chosen', () => {
    const { layers } = analyze(micro, { keepRatio: 0.5 })
    expect(layers.map(({ name, tokens, selects }) => [name, tokens, selects])).toEqual([
      ['stem', undefined, undefined],
      ['blocks.0', 65, 32],
      ['predictors.0', undefined, undefined],
      ['blocks.1', 33, undefined],
      ['blocks.2', 33, 32],
      ['predictors.1', undefined, undefined],
      ['blocks.3', 33, undefined],
      ['norm', undefined, undefined],
      ['head', undefined, undefined],
    ])
  })

  test("gives the E-block's share by the formula N(4Cc + 2Cc + 8c²) + 2N²c", () => {
    const [tokens, width, little] = [65, 64, 16]
    const linear = tokens * (6 * width * little + 8 * little ** 2)
    const block = analyze(micro).layers.find(({ name }) => name === 'blocks.1')
    expect(block?.little?.linear).toBe(linear)
    expect(block?.little?.full).toBe(linear + 2 * tokens ** 2 * little)
  })

  test('leaves out the E-block where a layer has none', () => {
    const { layers } = analyze(presets['h+b'] as Architecture)
    const withLittle = layers.filter(({ little }) => little !== undefined).map(({ name }) => name)
    expect(withLittle).toEqual(Array.from({ length: 12 }, (_, i) => `blocks.${2 * i + 9}`))
  })
})

describe('impossible requests are refused', () => {
  test.each([0, -1, 1.5, Number.NaN, 0.001])('keep ratio %d', (keepRatio) => {
    expect(() => analyze(micro, { keepRatio })).toThrow(/keep ratio/i)
  })

  test('a keep ratio for a model that treats all tokens alike', () => {
    expect(() => analyze(plain, { keepRatio: 0.5 })).toThrow(/processes every token/)
    expect(analyze(plain, { keepRatio: 1 }).multiplyAdds).toEqual(analyze(plain).multiplyAdds)
  })

  test.each([0, 1.5, Number.NaN])('batch %d', (batch) => {
    expect(() => analyze(plain, { batch })).toThrow(/batch is/)
  })
})
