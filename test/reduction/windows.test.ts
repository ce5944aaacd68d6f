import { describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { graphOf } from '../../src/graph/graph.js'
import type { Architecture } from '../../src/models/architecture.js'
import { presets, readArchitecture } from '../../src/models/index.js'
import type { SamConfig } from '../../src/models/sam-config.js'
import { samEncoder, samPixels } from '../../src/models/sam-encoder.js'
import { microSam } from '../../src/models/sam-family.js'
import { writeSamConfig } from '../../src/models/sam-json.js'
import { eventOutputs, followPatches } from '../../src/models/token-history.js'
import type { Quota } from '../../src/models/window-kinds.js'
import { parseReduction } from '../../src/reduction/parse-reduction.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { expectClose } from '../support/expect-close.js'
import { randomModel, randomPixels } from '../support/tiny-models.js'
import { attentionHalf, best, mlpHalf, rowByRow, stem, type Token, type Weights } from './windowed-by-hand.js'

/** Windows of 3 × 3, 3 × 2, 2 × 3 and 2 × 2 tokens; the middle block sees all of them. */
function configOf(quota: Quota): SamConfig {
  const encoder = { ...microSam.encoder, width: 8, heads: 2, mlpWidth: 16, depth: 5, globalBlocks: [2] }
  return { ...microSam, side: 20, patchSize: 4, quota, encoder }
}

/** The tokens before the neck, by the graph. */
async function byGraph(config: SamConfig, architecture: Architecture, text: string) {
  const { weights } = randomModel(architecture)
  const { state } = samEncoder(samPixels(config), config, { hooks: parseReduction(text).hooks(architecture) })
  const graph = graphOf('windows', { tokens: state.tokens, ...eventOutputs(state.history) })
  const session = await (await nativeRuntime()).load(graph, weights, { threads: 1 })
  const { values } = randomPixels(architecture)
  const shape = [1, 3, config.side, config.side]
  const outputs = await session.run({ pixel_values: { dtype: 'float32', shape, values } })
  await session.dispose()
  const numbersOf = (name: string) => Array.from(outputs[name]?.values ?? [], Number)
  const steps = followPatches(state.history, numbersOf, { prefix: 0, patches: 25 })
  const floats = new Map<string, Float32Array>()
  for (const [name, tensor] of weights) floats.set(name, await readFloats(tensor))
  const own: Weights = (name) => defined(floats.get(name), name)
  return { tokens: numbersOf('tokens'), steps, byHand: { config, weights: own }, pixels: values }
}

describe.each(['proportional', 'equal'] as const)('with a quota that is %s', (quota) => {
  const config = configOf(quota)
  const architecture = readArchitecture(writeSamConfig(config))

  test.each([true, false])(
    'EViT keeps a share of each window and puts the rest back: fuse %s',
    async (fuse) => {
      const { tokens, steps, byHand, pixels } = await byGraph(
        config,
        architecture,
        `evit:0.5,blocks=1/2/3,fuse=${fuse}`,
      )
      const { weights } = byHand
      let windows = stem(pixels, config, weights)
      const gone: Token[] = []
      const kept: number[] = []
      for (let block = 0; block < 5; block++) {
        const received = attentionHalf(windows, block, byHand)
        if ([1, 2, 3].includes(block)) {
          windows = windows.map((own) => {
            const whole = block === 1 && quota === 'equal' ? 9 : own.length
            const stay = best(
              own,
              (token) => received.get(token) ?? 0,
              Math.min(own.length, Math.ceil(whole / 2)),
            )
            const rest = own.filter((token) => !stay.includes(token))
            const x = Array.from({ length: 8 }, (_, i) =>
              rest.reduce((all, token) => all + (received.get(token) ?? 0) * (token.x[i] ?? 0), 0),
            )
            gone.push(...rest)
            return fuse && rest.length > 0 ? [...stay, { at: undefined, x, received: 0 }] : stay
          })
          kept.push(windows.flat().length)
        }
        mlpHalf(windows, block, weights)
      }
      const expected = rowByRow([...windows.flat(), ...gone]).flatMap(({ x }) => x)
      expectClose(tokens, expected, { rtol: 1e-4, atol: 1e-4 })
      expect(steps.map((step) => step.tokens)).toEqual(kept)
      const left = new Set(windows.flat().flatMap(({ at }) => (at ? [5 * at[0] + at[1]] : [])))
      const { patchToken, fused } = defined(steps.at(-1), 'a step')
      const shown = patchToken.flatMap((token, patch) =>
        token >= 0 && !fused.includes(token) ? [patch] : [],
      )
      expect(shown).toEqual([...left].sort((a, b) => a - b))
    },
  )

  test.each(['stage', 'layer'])(
    'Evo-ViT works on a share of each window, chosen anew: mode %s',
    async (mode) => {
      const blocks = mode === 'stage' ? [1, 3] : [1, 2, 3]
      const { tokens, steps, byHand, pixels } = await byGraph(
        config,
        architecture,
        `evo-vit:0.5,blocks=${blocks.join('/')},mode=${mode}`,
      )
      const { weights } = byHand
      const windows = stem(pixels, config, weights)
      let active = windows
      const chosen: number[][] = []
      for (let block = 0; block < 5; block++) {
        const ends = mode === 'layer' || blocks.includes(block)
        if (ends) active = windows
        if (blocks.includes(block)) {
          active = windows.map((own) => {
            const whole = quota === 'equal' ? 9 : own.length
            return best(own, ({ received }) => received, Math.min(own.length, Math.floor(whole / 2)))
          })
          const numbers = active.flat().map(({ at }) => 5 * (at?.[0] ?? 0) + (at?.[1] ?? 0))
          chosen.push(numbers.sort((a, b) => a - b))
        }
        const received = attentionHalf(active, block, byHand)
        for (const [token, own] of received) token.received = block === 0 ? own : 0.5 * (token.received + own)
        mlpHalf(active, block, weights)
      }
      const expected = rowByRow(windows.flat()).flatMap(({ x }) => x)
      expectClose(tokens, expected, { rtol: 1e-4, atol: 1e-4 })
      expect(steps.map(({ route }) => route?.chosen)).toEqual(chosen)
    },
  )

  test.each(['evit:1', 'evo-vit:1'])('%s is the plain encoder', async (text) => {
    const { tokens } = await byGraph(config, architecture, text)
    const { tokens: plain } = await byGraph(config, architecture, 'evit:1,blocks=0')
    expectClose(tokens, plain, { atol: 1e-5 })
  })
})

test.each([
  ['tome:8', 'Take evit or evo-vit'],
  ['top-k:0.5', 'Take evit or evo-vit'],
  ['evo-vit:0.5,representative=true', 'no representative'],
  ['evo-vit:0.5,prune-cls=true', 'no prune-cls'],
  ['evit:0.5,blocks=12', "this model's blocks are 0 to 11"],
])('%s of a SAM is refused, and why', (text, why) => {
  const sam = defined(presets['sam-b'], 'sam-b')
  expect(() => parseReduction(text).hooks(sam)).toThrow(why)
})
