import { describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { seededRandom } from '../../src/base/random.js'
import { graphOf } from '../../src/graph/graph.js'
import { add, scaleShift } from '../../src/graph/ops/index.js'
import { scope } from '../../src/graph/scope.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { plainBlock, type WholeBlock } from '../../src/models/block-loop.js'
import { blvit } from '../../src/models/blvit.js'
import type { BlvitConfig } from '../../src/models/blvit-config.js'
import { finalNorm, pixelInput, stem, vit } from '../../src/models/vit.js'
import { usualSwitches, type VitConfig } from '../../src/models/vit-config.js'
import { layerNorm } from '../../src/nn/layer-norm.js'
import { mlp } from '../../src/nn/mlp.js'
import { stochasticDepth, stochasticDepthInput } from '../../src/nn/stochastic-depth.js'
import { count, evaluateTensors, type Values } from '../support/evaluate.js'
import { expectClose } from '../support/expect-close.js'
import { outputsOf } from '../support/tiny-models.js'

const plain: VitConfig = {
  family: 'vit',
  ...usualSwitches({ distilled: false }),
  image: { height: 8, width: 8 },
  patchSize: 4,
  channels: 1,
  width: 6,
  depth: 2,
  heads: 2,
  mlpRatio: 2,
  classes: 3,
  layerNormEpsilon: 1e-6,
  distilled: false,
}

const routed: BlvitConfig = {
  ...plain,
  family: 'blvit',
  depth: 3,
  fullLayers: 1,
  predictorAfter: [1],
  keepRatio: 0.5,
  keepSchedule: [1],
  selection: 'predictor',
  predictor: 'linear',
  semiCross: true,
  fuse: 'half',
  gamma: 'scalar',
  little: { width: 4, heads: 1, mlpRatio: 2, attention: true, layers: [2, 3], initialisation: 'normal' },
}

/** Some tensors of two pictures in float64, with these random numbers. */
function valuesOf(tensors: readonly Tensor[], numbers: readonly (readonly number[])[]): number[][] {
  const random = seededRandom(5)
  const outputs = Object.fromEntries(tensors.map((tensor, i) => [`${i}`, tensor]))
  const leaves: Record<string, Values> = {}
  for (const { leaf, shape } of graphOf('values', outputs).nodes) {
    if (!leaf || leaves[leaf.name]) continue
    const now = shape.map((dim) => (typeof dim === 'number' ? dim : 2))
    const data = Float64Array.from({ length: count(now) }, () => 2 * random() - 1)
    leaves[leaf.name] = { shape: now, data }
  }
  const data = Float64Array.from(numbers.flat())
  leaves[stochasticDepthInput] = { shape: [2, data.length / 2], data }
  return evaluateTensors(tensors, leaves, { batch: 2 }).map((result) => [...result.data])
}

/** A block of the plain model, and its output. */
function blockOf(tokens: Tensor, layer: number): WholeBlock & { readonly output: Tensor } {
  const made: WholeBlock[] = []
  const look = { after: (_: unknown, block: WholeBlock) => void made.push(block) }
  const { state } = scope(`blocks.${layer - 1}`, () =>
    plainBlock({ tokens, prefix: 1, history: [] }, layer, plain, { hooks: look }),
  )
  return { ...defined(made[0], 'the block'), output: state.tokens }
}

/** What both models make in the block that is never dropped. */
function firstBlock(): Tensor {
  return blockOf(stem(pixelInput(plain), plain), 1).output
}

const operations = (tensors: Readonly<Record<string, Tensor>>) =>
  graphOf('model', tensors).nodes.map(({ op, scope: where }) => `${op} ${where}`)

describe('stochastic depth', () => {
  test('of rate 0, or none, is not in the graph', () => {
    for (const build of [() => vit(plain), () => blvit(routed, { sizes: { kept: 2 } })]) {
      const without = operations(outputsOf(build()))
      const off = stochasticDepth({ rate: 0, depth: 3 }, () => operations(outputsOf(build())))
      expect(off).toEqual(without)
      const on = stochasticDepth({ rate: 0.5, depth: 3 }, () => operations(outputsOf(build())))
      expect(on.length).toBeGreaterThan(without.length)
      // nothing of it is left behind
      expect(operations(outputsOf(build()))).toEqual(without)
    }
  })

  test('drops a branch of one picture, and makes up for it in what is kept', () => {
    const { features } = outputsOf(stochasticDepth({ rate: 0.5, depth: 2 }, () => vit(plain)))
    const first = firstBlock()
    const block = blockOf(first, 2)
    const withoutMlp = finalNorm(add(first, scaleShift(block.attentionUpdate, { scale: 2 })), plain)
    const withoutAttention = scope('blocks.1', () => {
      const update = mlp('mlp', layerNorm('norm2', first, { epsilon: 1e-6 }), { hidden: 12 })
      return add(first, scaleShift(update, { scale: 2 }))
    })
    const [got = [], onlyMlp = [], onlyAttention = []] = valuesOf(
      [features, finalNorm(withoutAttention, plain), withoutMlp],
      // block 0 is never dropped, block 1 half of the time: attention of the first picture, MLP of the second
      [
        [0, 0, 0.4999, 0.5001],
        [0, 0, 0.9, 0.1],
      ],
    )
    const half = got.length / 2
    expectClose(got, [...onlyMlp.slice(0, half), ...onlyAttention.slice(half)], { atol: 1e-12 })
  })

  test.each(['half', 'block'] as const)('drops P- and E-block together where they meet once a %s', (fuse) => {
    const build = () => blvit({ ...routed, fuse }, { sizes: { kept: 2 } })
    const { features } = outputsOf(stochasticDepth({ rate: 0.9, depth: 3 }, build))
    const first = firstBlock()
    const never = new Array<number>(6).fill(0.95)
    const always = new Array<number>(6).fill(0)
    const [got = [], first1 = []] = valuesOf([features, finalNorm(first, plain)], [always, never])
    const half = got.length / 2
    // all that comes after the full layer is dropped
    expectClose(got.slice(0, half), first1.slice(0, half), { atol: 1e-12 })
    const furthest = got.slice(half).map((value, i) => Math.abs(value - (first1[half + i] ?? 0)))
    expect(Math.max(...furthest)).toBeGreaterThan(0.1)
  })

  test('on average changes nothing that a branch adds', () => {
    // the share of numbers in [0, 1) that keep a branch, times the factor of what is kept
    const { features } = outputsOf(stochasticDepth({ rate: 0.3, depth: 2 }, () => vit(plain)))
    const kept = graphOf('model', { features }).nodes.filter(({ op }) => op === 'Greater')
    const scales = graphOf('model', { features }).nodes.filter(
      ({ op, inputs }) => op === 'ScaleShift' && inputs[0]?.op === 'Greater',
    )
    expect(kept.map(({ inputs }) => inputs[1]?.attributes.value)).toEqual([0.3, 0.3])
    expect(scales.map(({ attributes }) => Number(attributes.scale) * 0.7)).toEqual(
      [1, 1].map((x) => expect.closeTo(x, 12)),
    )
  })
})
