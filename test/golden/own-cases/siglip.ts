import { join } from 'node:path'
import { defined } from '../../../src/base/assert.js'
import { zeros } from '../../../src/graph/initialiser.js'
import { add, attention, expand, parameter } from '../../../src/graph/ops/index.js'
import { scope } from '../../../src/graph/scope.js'
import { sizeAt, type Tensor } from '../../../src/graph/tensor.js'
import { type BlockHooks, blockLoop } from '../../../src/models/block-loop.js'
import { finalNorm, pixelInput, stem } from '../../../src/models/vit.js'
import { usualVit, vitArchitecture } from '../../../src/models/vit-family.js'
import { layerNorm, linear, mlp, packedLinear } from '../../../src/nn/index.js'
import {
  attentionReceived,
  dilated,
  firstAttention,
  objectRegion,
  staticRegion,
  tokenFiltering,
  union,
} from '../../../src/reduction/atf.js'
import type { PatchBits } from '../../../src/reduction/token-mask.js'
import { type Golden, readGolden } from '../../support/golden.js'
import { compareAll, Findings, type OwnCase } from './findings.js'
import { runTensors } from './run-tensors.js'

/** The small SigLIP, whose blocks are a plain ViT's. */
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
const [pictures, patches] = [6, 36]

/** SigLIP's head: a learned query looks at all tokens (no family of ours, so it stands here). `[batch, 1, width]` */
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

/** What is left of a picture, embedded; and what its tokens were on the way. */
function embedded(hooks: BlockHooks = {}): { readonly embedding: Tensor; readonly norm: Tensor } {
  const norm = finalNorm(blockLoop(stem(pixelInput(siglip), siglip), siglip, hooks).tokens, siglip)
  return { embedding: attentionPool(norm), norm }
}

function rows<T extends ArrayLike<number> & { slice(from: number, to: number): T }>(
  all: T,
  picture: number,
): T {
  const each = all.length / pictures
  return all.slice(each * picture, each * (picture + 1))
}

/** Whether each patch of each picture is in its object region: detected, dilated, by patch. */
function objects(golden: Golden, found: Findings): readonly PatchBits[] {
  return Array.from({ length: pictures }, (_, picture) => {
    const values = Uint8Array.from(rows(golden.floats('in/text_prob'), picture), (p) => Number(p > 0.4))
    found.equal(`detected ${picture}`, [...values], rows(golden.integers('out/detected'), picture))
    const grown = dilated({ height: 84, width: 84, values }, 2)
    found.equal(`dilated ${picture}`, [...grown.values], rows(golden.integers('out/dilated_r2'), picture))
    return objectRegion(grown, grid, 14)
  })
}

const numbers = (bits: PatchBits) => bits.map(Number)

/** SigLIP, and attention-aware token filtering on it: equations 1 and 2, object regions, their union, what is left, embedded. */
export const siglipCase: OwnCase = async (folder) => {
  const golden = await readGolden(join(folder, 'siglip_small.safetensors'))
  const found = new Findings()
  const weights = golden.weights('w/')
  const images = golden.floats('in/image')
  const feeds = { pixel_values: { shape: [pictures, 3, 84, 84], values: images } }
  const seen: Record<string, Tensor> = {}
  const whole = embedded({
    start: ({ tokens }) => {
      seen.tokens = tokens
      return undefined
    },
    after: ({ tokens }, { layer }) => {
      seen[`block${layer - 1}`] = tokens
      return undefined
    },
  })
  const architecture = vitArchitecture({ ...siglip, classes: 1 })
  const { map, ...ours } = await runTensors(
    { ...seen, ...whole, map: firstAttention(architecture) },
    { weights, feeds },
  )
  const received = Array.from({ length: pictures }, (_, picture) =>
    attentionReceived(rows(defined(map, 'the maps'), picture), { heads: 3, tokens: patches }),
  )
  const means = Float64Array.from(
    { length: patches },
    (_, patch) => received.reduce((sum, all) => sum + (all[patch] ?? 0), 0) / pictures,
  )
  // without tokens before the patches the two thresholds are one
  const fixed = staticRegion(means, { prefix: 0, threshold: 'patches' })
  found.equal(
    'static region, threshold over all',
    staticRegion(means, { prefix: 0, threshold: 'all' }),
    fixed,
  )
  const regions = objects(golden, found)
  const kept = regions.map((region) => union(fixed, region))
  found.equal('static_mask', numbers(fixed), golden.integers('out/static_mask'))
  found.equal('object_mask', regions.flatMap(numbers), golden.integers('out/object_mask'))
  found.equal('union_mask', kept.flatMap(numbers), golden.integers('out/union_mask'))
  const counts = kept.map((bits) => bits.filter(Boolean).length)
  found.equal('token_counts', counts, golden.integers('out/token_counts'))
  const filtered: number[] = []
  for (const [picture, bits] of kept.entries()) {
    const values = rows(images, picture)
    const { embedding } = await runTensors(embedded(tokenFiltering(bits)), {
      weights,
      feeds: { pixel_values: { shape: [1, 3, 84, 84], values } },
    })
    filtered.push(...defined(embedding, 'an embedding'))
  }
  const rate = Array.from(
    { length: patches },
    (_, patch) => received.filter((all) => (all[patch] ?? 0) > 1 / patches).length / pictures,
  )
  const exact = ['detected', 'dilated_r2', 'object_mask', 'static_mask', 'token_counts', 'union_mask']
  const measured = {
    ...golden,
    names: (prefix: string) =>
      golden.names(prefix).filter((name) => !exact.includes(name.slice('out/'.length))),
  }
  compareAll(
    found,
    measured,
    {
      ...ours,
      attention_received: received.flatMap((all) => Array.from(all)),
      attention_rate: rate,
      atf_embedding: filtered,
    },
    2e-4,
  )
  return found
}
