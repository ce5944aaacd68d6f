import { z } from 'zod'
import { slice } from '../../../src/graph/ops/index.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import { tokenReorganisation } from '../../../src/reduction/evit.js'
import { goldenMethod, vitConfig } from '../method.js'
import { reducedVit } from '../reduced-vit.js'

/** One value for all blocks, or one for each. */
const perBlock = z.union([z.number(), z.array(z.number().nullable())]).nullish()

const config = vitConfig.extend({
  /** Of each block. */
  keep_rate: z.array(z.number()),
  fuse_token: z.boolean(),
  /** Given when the model is called: replaces the rate of blocks that have one below 1. */
  call_keep_rate: perBlock,
  /** K itself, also in blocks whose own rate is 1. */
  call_tokens: perBlock,
})

type Config = z.output<typeof config>

function atBlock(given: z.output<typeof perBlock>, block: number): number | undefined {
  return (Array.isArray(given) ? given[block] : given) ?? undefined
}

/** K of a block as the official code works it out. */
function keptIn(block: number, candidates: number, c: Config): number | undefined {
  const tokens = atBlock(c.call_tokens, block)
  if (tokens !== undefined) return tokens
  const own = c.keep_rate[block] ?? 1
  const rate = atBlock(c.call_keep_rate, block) ?? own
  return own < 1 && rate < 1 ? Math.ceil(rate * candidates) : undefined
}

export const evitMethod = goldenMethod(config, (given, facts) => {
  const hooks = tokenReorganisation({
    fuse: given.fuse_token,
    kept: (block, candidates) => keptIn(block, candidates, given),
  })
  const { history, built } = reducedVit(given, facts, hooks)
  const selections = history.flatMap((event): [string, Tensor][] => {
    const { scores, order } = event.tensors
    if (event.kind !== 'reduce' || !scores || !order) return []
    const kept = Number(event.tokensAfter) - 1 - Number(event.fused !== undefined)
    const block = event.layer - 1
    return [
      [`block${block}_cls_attn`, scores],
      [`block${block}_idx`, slice(order, { axis: 1, end: kept })],
    ]
  })
  return { ...built, outputs: { ...built.outputs, ...Object.fromEntries(selections) } }
})
