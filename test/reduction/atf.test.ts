import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { graphOf } from '../../src/graph/graph.js'
import { zeros } from '../../src/graph/initialiser.js'
import { add, attention, expand, parameter } from '../../src/graph/ops/index.js'
import { scope } from '../../src/graph/scope.js'
import { sizeAt, type Tensor } from '../../src/graph/tensor.js'
import { type BlockHooks, blockLoop } from '../../src/models/block-loop.js'
import { finalNorm, pixelInput, stem } from '../../src/models/vit.js'
import { usualVit, vitArchitecture } from '../../src/models/vit-family.js'
import { layerNorm, linear, mlp, packedLinear } from '../../src/nn/index.js'
import {
  attentionReceived,
  dilated,
  firstAttention,
  objectRegion,
  staticRegion,
  tokenFiltering,
  union,
} from '../../src/reduction/atf.js'
import type { PatchBits } from '../../src/reduction/token-mask.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'

/** The small SigLIP of the golden file, whose blocks are a plain ViT's. */
const siglip = usualVit({
  width: 24,
  depth: 3,
  heads: 3,
  mlpRatio: 89 / 24,
  image: { height: 84, width: 84 },
  patchSize: 14,
  classes: 0,
  classToken: false,
  embeddedPrefix: 0,
  activation: 'gelu_tanh',
  pooling: 'mean',
})
const grid = { rows: 6, columns: 6 }

/** SigLIP's head: a learned query looks at all tokens (no family of ours, so it stands here). `[1, 1, width]` */
function attentionPool(tokens: Tensor): Tensor {
  return scope('attn_pool', () => {
    const { width, heads } = siglip
    const latent = expand(parameter('latent', [1, 1, width], zeros), [sizeAt(tokens, 0), 1, width])
    const query = linear('q', latent, { out: width })
    const { k, v } = packedLinear('kv', { k: tokens, v: tokens }, { width, out: width })
    const seen = linear('proj', attention(query, k, v, { heads }), { out: width })
    const normed = layerNorm('norm', seen, { epsilon: 1e-6 })
    return add(seen, mlp('mlp', normed, { hidden: 89, activation: 'gelu_tanh' }))
  })
}

const embedding = (hooks: BlockHooks = {}) =>
  attentionPool(finalNorm(blockLoop(stem(pixelInput(siglip), siglip), siglip, hooks).tokens, siglip))

async function siglipGolden() {
  const golden = await readGolden(shared('golden/sam/siglip_small.safetensors'))
  const images = golden.floats('in/image')
  const size = images.length / 6
  const rows = <T extends ArrayLike<number> & { slice(from: number, to: number): T }>(
    all: T,
    picture: number,
  ) => all.slice((all.length / 6) * picture, (all.length / 6) * (picture + 1))
  const run = async (output: Tensor, picture: number): Promise<Float32Array> => {
    const runtime = await nativeRuntime()
    await using session = await runtime.load(graphOf('siglip', { output }), golden.weights('w/'))
    const values = images.slice(size * picture, size * (picture + 1))
    const { output: result } = await session.run({
      pixel_values: { dtype: 'float32', shape: [1, 3, 84, 84], values },
    })
    return result?.values as Float32Array
  }
  const bits = (name: string, picture = 0): PatchBits =>
    golden
      .integers(name)

      .slice(36 * picture, 36 * (picture + 1))
      .map(Boolean)
  return { golden, rows, run, bits, pictures: [0, 1, 2, 3, 4, 5] }
}

describe.skipIf(!hasSharedData)(`SigLIP, filtered as the paper says${withoutSharedData}`, () => {
  test('equations 1 and 2: attention received and the static region', async () => {
    const { golden, rows, run, bits, pictures } = await siglipGolden()
    const architecture = vitArchitecture({ ...siglip, classes: 1 })
    const sums = new Float64Array(36)
    for (const picture of pictures) {
      const map = await run(firstAttention(architecture), picture)
      const received = attentionReceived(map, { heads: 3, tokens: 36 })
      expectClose(received, rows(golden.floats('out/attention_received'), picture), { atol: 1e-7 })
      expect(received.reduce((a, b) => a + b)).toBeCloseTo(1, 6)
      received.forEach((value, token) => {
        sums[token] = (sums[token] ?? 0) + value / 6
      })
    }
    const expected = bits('out/static_mask')
    expect(expected).toContain(true)
    // without tokens before the patches the two thresholds are one
    expect(staticRegion(sums, { prefix: 0, threshold: 'patches' })).toEqual(expected)
    expect(staticRegion(sums, { prefix: 0, threshold: 'all' })).toEqual(expected)
  })

  test('object regions: detected, dilated, by patch; and the union', async () => {
    const { golden, rows, bits, pictures } = await siglipGolden()
    for (const picture of pictures) {
      const probability = rows(golden.floats('in/text_prob'), picture)
      const values = Uint8Array.from(probability, (p) => Number(p > 0.4))
      const detected = { height: 84, width: 84, values }
      expect(Array.from(values)).toEqual(rows(golden.integers('out/detected'), picture))
      const grown = dilated(detected, 2)
      expect(Array.from(grown.values)).toEqual(rows(golden.integers('out/dilated_r2'), picture))
      const objects = objectRegion(grown, grid, 14)
      expect(objects).toEqual(bits('out/object_mask', picture))
      const kept = union(bits('out/static_mask'), objects)
      expect(kept).toEqual(bits('out/union_mask', picture))
      expect(kept.filter(Boolean)).toHaveLength(golden.integers('out/token_counts')[picture] ?? -1)
    }
  })

  test('what is left of the picture, embedded; and all of it', async () => {
    const { golden, rows, run, bits, pictures } = await siglipGolden()
    // the golden's own tolerance
    const tolerance = { atol: 2e-4, rtol: 2e-4 }
    for (const picture of pictures) {
      const plain = await run(embedding(), picture)
      expectClose(plain, rows(golden.floats('out/embedding'), picture), tolerance)
      const filtered = await run(embedding(tokenFiltering(bits('out/union_mask', picture))), picture)
      expectClose(filtered, rows(golden.floats('out/atf_embedding'), picture), tolerance)
    }
  })
})

describe('regions', () => {
  test('a threshold over all tokens lets a class token that draws much raise it', () => {
    const means = Float64Array.of(0.6, 0.05, 0.15, 0.1, 0.1)
    expect(staticRegion(means, { prefix: 1, threshold: 'patches' })).toEqual([false, true, false, false])
    expect(staticRegion(means, { prefix: 1, threshold: 'all' })).toEqual([false, false, false, false])
  })

  test('a patch that receives just the mean is not above it', () =>
    expect(
      staticRegion(Float64Array.of(0.25, 0.25, 0.25, 0.25), { prefix: 0, threshold: 'patches' }),
    ).toEqual([false, false, false, false]))

  test('dilation is a maximum over a square, with nothing outside', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: 4 }),
        fc.array(fc.boolean(), { minLength: 49, maxLength: 49 }),
        (height, width, radius, drawn) => {
          const values = Uint8Array.from(drawn.slice(0, height * width), Number)
          const grown = dilated({ height, width, values }, radius)
          for (let at = 0; at < height * width; at++) {
            const [y, x] = [Math.floor(at / width), at % width]
            const near = values.some(
              (value, other) =>
                value === 1 &&
                Math.abs(Math.floor(other / width) - y) <= radius &&
                Math.abs((other % width) - x) <= radius,
            )
            expect(grown.values[at]).toBe(Number(near))
          }
        },
      ),
    ))

  test('pixels beyond the last whole patch belong to none', () => {
    const values = new Uint8Array(25)
    values[24] = 1
    values[2 * 5 + 1] = 1
    expect(objectRegion({ height: 5, width: 5, values }, { rows: 2, columns: 2 }, 2)).toEqual([
      false,
      false,
      true,
      false,
    ])
  })
})
