import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import { symbol } from '../../src/graph/dim.js'
import { gradients } from '../../src/graph/gradients.js'
import { graphOf } from '../../src/graph/graph.js'
import { add, input, scaleShift } from '../../src/graph/ops/index.js'
import { blvit } from '../../src/models/blvit.js'
import type { BlvitConfig } from '../../src/models/blvit-config.js'
import { usualSwitches } from '../../src/models/vit-config.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import type { TensorData } from '../../src/runtime/runtime.js'
import { cosineDistance } from '../../src/training/objectives/cosine-distance.js'
import { crossEntropy, smoothedTargets } from '../../src/training/objectives/cross-entropy.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { count, evaluateTensors, evaluatorOf, type Values } from '../support/evaluate.js'
import { expectClose } from '../support/expect-close.js'
import { outputsOf } from '../support/tiny-models.js'

const batch = 2
const fewKept = 2

const base: BlvitConfig = {
  family: 'blvit',
  ...usualSwitches({ distilled: false }),
  image: { height: 8, width: 12 },
  patchSize: 4,
  channels: 2,
  width: 6,
  depth: 3,
  heads: 2,
  mlpRatio: 2,
  classes: 3,
  layerNormEpsilon: 1e-6,
  distilled: false,
  fullLayers: 1,
  predictorAfter: [1, 2],
  keepRatio: 0.34,
  keepSchedule: [1],
  selection: 'predictor',
  predictor: 'linear',
  semiCross: true,
  fuse: 'half',
  gamma: 'scalar',
  little: { width: 4, heads: 2, mlpRatio: 2, attention: true, layers: [2, 3], initialisation: 'normal' },
}

/** Every switch of spec §5. */
const switches: Readonly<Record<string, Partial<BlvitConfig>>> = {
  'the paper’s settings': {},
  'more full layers': { fullLayers: 2, predictorAfter: [2] },
  'no E-blocks': { little: null },
  'E-blocks in some layers alone': {
    little: { width: 4, heads: 1, mlpRatio: 2, attention: true, layers: [3], initialisation: 'zero' },
  },
  'selection by CLS attention': { selection: 'cls' },
  'selection by CLS attention without semi-cross attention': { selection: 'cls', semiCross: false },
  'a prediction layer that is an MLP': { predictor: 'mlp' },
  'E-blocks without attention': {
    little: {
      width: 4,
      heads: 1,
      mlpRatio: 2,
      attention: false,
      layers: [2, 3],
      initialisation: 'normal',
    },
  },
  'E-blocks without attention that meet P once': {
    fuse: 'block',
    little: { width: 4, heads: 1, mlpRatio: 2, attention: false, layers: [2], initialisation: 'normal' },
  },
  'selection by chance': { selection: 'random' },
  'no semi-cross attention': { semiCross: false },
  'one fuse a block': { fuse: 'block' },
  'gamma per channel': { gamma: 'channel' },
  'gamma fixed at 0': { gamma: 'zero' },
  'a distilled DeiT': { distilled: true, ...usualSwitches({ distilled: true }) },
  'a larger keep ratio': { keepRatio: 0.84 },
  'all patches kept': { keepRatio: 1 },
}

/** Patches of the six that the big blocks see. */
const keptOf: Readonly<Record<string, number>> = { 'a larger keep ratio': 5, 'all patches kept': 6 }

function lossOf(config: BlvitConfig) {
  const model = blvit(config)
  const { logits, features } = outputsOf(model)
  const targets = smoothedTargets(input('labels', [symbol('batch')], { dtype: 'int64' }), {
    classes: config.classes,
  })
  const distilled = cosineDistance(features, input('teacher', features.shape))
  return {
    loss: add(crossEntropy(logits, targets), scaleShift(distilled, { scale: 2.5 })),
    sizes: model.sizes,
  }
}

describe('gradients of a tiny bLViT agree with central differences in float64 and with the engine', () => {
  test.each(Object.entries(switches))('%s', async (name, changes) => {
    const { loss, sizes } = lossOf({ ...base, ...changes })
    const graph = graphOf(name, { loss }, { sizes })
    const random = seededRandom(7)
    const kept = keptOf[name] ?? fewKept
    const sizesNow = { batch, kept }
    const leaves: Record<string, Values> = {}
    for (const { leaf, shape, dtype } of [...graph.inputs, ...graph.nodes.filter((node) => node.leaf)]) {
      if (!leaf || leaves[leaf.name]) continue
      const now = shape.map((dim) => (typeof dim === 'number' ? dim : batch))
      const data = Float64Array.from({ length: count(now) }, () => Math.fround(2 * random() - 1))
      leaves[leaf.name] = {
        shape: now,
        data: dtype === 'int64' ? data.map((_, i) => (leaf.name === 'kept' ? kept : i)) : data,
      }
    }
    const parameters = graph.nodes.filter(({ leaf }) => leaf?.kind === 'parameter')
    const found = gradients(loss, parameters)
    const values = evaluateTensors(found, leaves, sizesNow)
    const lossWith = evaluatorOf([loss], leaves, sizesNow)
    const lossAt = (parameter: string, data: Float64Array) => {
      const [moved] = lossWith({ [parameter]: { shape: leaves[parameter]?.shape ?? [], data } })
      return moved?.data[0] ?? Number.NaN
    }
    let changed = 0
    parameters.forEach(({ leaf }, i) => {
      const [start, gradient] = [leaves[leaf?.name ?? ''], values[i]]
      if (!leaf || !start || !gradient) throw new Error('no numbers')
      // one random direction sees every element at once
      const direction = start.data.map(() => 2 * random() - 1)
      const step = 1e-6
      const [above, below] = [step, -step].map((h) =>
        lossAt(
          leaf.name,
          start.data.map((value, j) => value + h * (direction[j] ?? 0)),
        ),
      )
      const slope = ((above ?? Number.NaN) - (below ?? Number.NaN)) / (2 * step)
      const expected = gradient.data.reduce((sum, value, j) => sum + value * (direction[j] ?? 0), 0)
      expectClose([expected], [slope], { rtol: 1e-5, atol: 1e-8 })
      if (Math.abs(slope) > 1e-7) changed += 1
    })
    // all but the biases that softmax doesn't see
    expect(changed).toBeGreaterThan(parameters.length * 0.8)

    const weights = new Map(
      parameters.map(({ leaf }) => {
        const { data, shape } = leaves[leaf?.name ?? ''] ?? { data: [], shape: [] }
        return [leaf?.name ?? '', storedFrom(Float32Array.from(data), shape)] as const
      }),
    )
    const backward = graphOf(name, Object.fromEntries(found.map((g, i) => [`${i}`, g])), { sizes })
    const feeds = backward.inputs.map(({ leaf, dtype }): [string, TensorData] => {
      const { data, shape } = leaves[leaf?.name ?? ''] ?? { data: new Float64Array(), shape: [] }
      const integers = BigInt64Array.from(data, (value) => BigInt(dtype === 'int64' ? value : 0))
      return [
        leaf?.name ?? '',
        dtype === 'int64'
          ? { dtype, shape, values: integers }
          : { dtype, shape, values: Float32Array.from(data) },
      ]
    })
    const runtime = await nativeRuntime()
    await using session = await runtime.load(backward, weights)
    const results = await session.run(Object.fromEntries(feeds))
    values.forEach(({ data }, i) => {
      const largest = data.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
      // float32 through four layers
      const tolerance = { atol: 1e-4 * Math.max(largest, 1e-2) }
      expectClose(Array.from(results[`${i}`]?.values ?? [], Number), data, tolerance)
    })
  })
})
