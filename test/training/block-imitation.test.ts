import { describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { gradients } from '../../src/graph/gradients.js'
import { graphOf, reachable } from '../../src/graph/graph.js'
import type { Architecture } from '../../src/models/architecture.js'
import { readBlvitConfig } from '../../src/models/blvit-json.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { blockImitation, learnsByImitation } from '../../src/training/block-imitation.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import type { StoredTensors } from '../../src/weights/stored-tensor.js'
import { randomModel, randomPixels, shrunk, zeroed } from '../support/tiny-models.js'

function imitationOf(architecture: Architecture) {
  return defined(blockImitation(readBlvitConfig(architecture.json)), 'something that learns')
}

/** Both loss parts of some weights on random pictures. */
async function lossesOf(architecture: Architecture, weights: StoredTensors) {
  const { imitation, ranking } = imitationOf(architecture)
  const outputs = { ...(imitation && { imitation }), ...(ranking && { ranking }) }
  await using session = await (await nativeRuntime()).load(graphOf('imitation', outputs), weights)
  const { count, values } = randomPixels(architecture, { count: 2 })
  const { channels, image } = architecture
  const shape = [count, channels, image.height, image.width]
  const results = await session.run({ pixel_values: { dtype: 'float32', shape, values } })
  return { imitation: Number(results.imitation?.values[0]), ranking: Number(results.ranking?.values[0]) }
}

function identity(size: number) {
  const values = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0))
  return storedFrom(values, [size, size])
}

/** E-blocks of the P-blocks' sizes that compute what these do. */
function withPerfectLittleBlocks(architecture: Architecture, weights: StoredTensors): StoredTensors {
  const width = Number(architecture.json.embed_dim)
  const perfect = new Map(weights)
  for (const name of weights.keys()) {
    if (!name.includes('.little.')) continue
    const isAround = /\.mlp\.(down|up)\./.test(name)
    const around = name.endsWith('weight') ? identity(width) : storedFrom(new Float32Array(width), [width])
    perfect.set(name, isAround ? around : defined(weights.get(name.replace('little.', '')), name))
  }
  return perfect
}

const { facts } = shrunk('t+48')

describe('blockImitation', () => {
  test('E-blocks that compute what the P-blocks do have nothing left to learn', async () => {
    const width = 12
    const little = { embed_dim: width, num_heads: 3, mlp_ratio: 4, initialisation: 'normal' }
    const architecture = shrunk('t+48', { embed_dim: width, little })
    const { weights } = randomModel(architecture)
    expect((await lossesOf(architecture, weights)).imitation).toBeGreaterThan(0.5)
    const perfect = withPerfectLittleBlocks(architecture, weights)
    // float32: both sides go through the same products, in another order at most
    expect((await lossesOf(architecture, perfect)).imitation).toBeLessThan(1e-9)
  })

  test('E-blocks that add nothing have an error of 1, however large the updates are', async () => {
    const architecture = shrunk('t+48')
    const { weights } = zeroed(randomModel(architecture), /little\.(attn\.proj|mlp\.up)/)
    expect((await lossesOf(architecture, weights)).imitation).toBeCloseTo(1, 6)
  })

  test('predictors that know nothing take all patches for equally likely', async () => {
    const architecture = shrunk('t+48')
    const { weights } = zeroed(randomModel(architecture), /^predictors/)
    expect((await lossesOf(architecture, weights)).ranking).toBeCloseTo(Math.log(3 * 4), 5)
  })

  test('no gradient passes through depth: an E-block’s gradient needs no other E-block', () => {
    const { loss } = imitationOf(shrunk('t+48'))
    const nodes = reachable([loss])
    const last = nodes.find(({ leaf }) => leaf?.name === 'blocks.3.little.attn.qkv.weight')
    const [gradient] = gradients(loss, [defined(last, 'the weight')])
    const others = reachable([defined(gradient, 'its gradient')]).flatMap(({ leaf }) =>
      leaf && learnsByImitation(leaf.name, facts) ? [leaf.name] : [],
    )
    expect(others.length).toBeGreaterThan(0)
    for (const name of others) expect(name).toMatch(/^blocks\.3\.little\./)
  })

  test('only E-blocks and predictors learn; E norms start as those of their P-blocks', () => {
    const names = graphOf('imitation', { loss: imitationOf(shrunk('t+48')).loss }).parameters.map(
      ({ name }) => name,
    )
    const learning = names.filter((name) => learnsByImitation(name, facts))
    expect(learning).toContain('predictors.3.bias')
    expect(learning).toContain('blocks.11.little.mlp.up.weight')
    expect(names).toContain('blocks.11.mlp.fc2.weight')
    expect(learning).not.toContain('blocks.11.mlp.fc2.weight')
    expect(names).not.toContain('head.weight')
    expect(facts.imitationStart?.('blocks.4.little.norm2.bias')).toBe('blocks.4.norm2.bias')
    expect(facts.imitationStart?.('blocks.4.little.mlp.up.bias')).toBeUndefined()
  })

  test('what a configuration lacks is left out', () => {
    const withoutLittle = shrunk('t+48', { little: null })
    expect(imitationOf(withoutLittle)).toMatchObject({ imitation: undefined, ranking: expect.anything() })
    const ranksByAttention = shrunk('t+48', { selection: 'cls' })
    expect(imitationOf(ranksByAttention)).toMatchObject({ imitation: expect.anything(), ranking: undefined })
    const neither = shrunk('t+48', { little: null, selection: 'cls' })
    expect(blockImitation(readBlvitConfig(neither.json))).toBeUndefined()
  })
})
