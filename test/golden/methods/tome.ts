import { z } from 'zod'
import type { Tensor } from '../../../src/graph/tensor.js'
import { type BlockHooks, composeHooks } from '../../../src/models/block-loop.js'
import { eventOutputs, followPatches, type TokenEvent } from '../../../src/models/token-history.js'
import { mergingSchedule, similarityMetric, tokenMerging } from '../../../src/reduction/tome.js'
import { type Derived, goldenMethod, type Ours, vitConfig } from '../method.js'
import { reducedVit } from '../reduced-vit.js'

const config = vitConfig.extend({
  r: z.union([z.number(), z.array(z.number())]),
  /** Tells a tuple `(r, inflection)` from a list, which JSON doesn't. */
  r_form: z.string().default(''),
  prop_attn: z.boolean(),
})

type Config = z.output<typeof config>

/** r of each block, as the official parse_r gives it. */
export function expandedR({
  depth,
  r,
  r_form: form,
}: Pick<Config, 'depth' | 'r' | 'r_form'>): readonly number[] {
  if (typeof r === 'number') return mergingSchedule(depth, r)
  const [first = 0, inflection = 0] = r
  if (form.includes('tuple')) return mergingSchedule(depth, first, inflection)
  return Array.from({ length: depth }, (_, block) => r[block] ?? 0)
}

/** What the official code calls them: places among all tokens at even (sources) and at odd places, prefix included. */
function officialIndices(event: TokenEvent, prefix: number): readonly [string, Derived][] {
  const { tensors, layer } = event
  const sourcesBefore = Math.ceil(prefix / 2)
  const destinationsBefore = Math.floor(prefix / 2)
  const shifted = (by: number, list: readonly number[] = []) => list.map((index) => index + by)
  const block = `block${layer - 1}`
  const protectedSources = Array.from({ length: sourcesBefore }, (_, i) => i)
  return [
    // the class token's own row is −∞ there, written as −3e38
    [
      `${block}_node_max`,
      { tensors, row: ({ similarity = [] }) => [...protectedSources.map(() => -3e38), ...similarity] },
    ],
    [`${block}_src_idx`, { tensors, row: ({ merged }) => shifted(sourcesBefore, merged) }],
    [`${block}_dst_idx`, { tensors, row: ({ into }) => shifted(destinationsBefore, into) }],
    [
      `${block}_unm_idx`,
      { tensors, row: ({ unmerged }) => [...protectedSources, ...shifted(sourcesBefore, unmerged)] },
    ],
  ]
}

/** 1 where a token contains one of the first: `[tokens, first tokens]` */
function sources(history: readonly TokenEvent[], first: number): Derived {
  return {
    tensors: eventOutputs(history),
    row: (values) => {
      const last = followPatches(history, (name) => values[name] ?? [], { prefix: 0, patches: first }).at(-1)
      const rows = Array.from({ length: last?.tokens ?? 0 }, (_, token) =>
        (last?.patchToken ?? []).map((own) => Number(own === token)),
      )
      return rows.flat()
    },
  }
}

export const tomeMethod = goldenMethod(config, (given, facts) => {
  const r = expandedR(given)
  const prefix = Number(given.class_token) + Number(given.distilled)
  const metrics: Record<string, Tensor> = {}
  let size: Tensor | undefined
  let first = 0
  const looking: BlockHooks = {
    start: ({ tokens }) => {
      first = Number(tokens.shape[1])
      return undefined
    },
    between: (_, { layer, attention }) => {
      metrics[`block${layer - 1}_metric`] = similarityMetric(attention)
      return undefined
    },
    after: (state) => {
      size = state.size
      return undefined
    },
  }
  const merging = tokenMerging(r, { proportional: given.prop_attn })
  const { history, built } = reducedVit(given, facts, composeHooks(looking, merging))
  const outputs: Record<string, Ours> = {
    ...built.outputs,
    ...metrics,
    ...Object.fromEntries(history.flatMap((event) => officialIndices(event, prefix))),
    source: sources(history, first),
    r_list: r,
    ...(size && { size }),
  }
  return { ...built, outputs }
})
