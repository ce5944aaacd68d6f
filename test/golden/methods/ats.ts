import { z } from 'zod'
import type { Tensor } from '../../../src/graph/tensor.js'
import type { EventValues, TokenEvent } from '../../../src/models/token-history.js'
import { type SamplingOptions, samplesOf, tokenSampling } from '../../../src/reduction/ats.js'
import { anyIndex, type Derived, goldenMethod, type Ours, vitConfig } from '../method.js'
import { reducedVit } from '../reduced-vit.js'

/** Keys as the official configuration files write them. */
const config = z
  .looseObject({
    IMG_SIZE: vitConfig.shape.img_size,
    PATCH_SIZE: z.int(),
    NUM_CLASSES: z.int(),
    EMBED_DIM: z.int(),
    DEPTH: z.int(),
    NUM_HEADS: z.int(),
    MLP_RATIO: z.number(),
    QKV_BIAS: z.boolean(),
    ATS_BLOCKS: z.array(z.int()),
    /** Of each block, the class token included. */
    NUM_TOKENS: z.array(z.number()),
    DROP_TOKENS: z.boolean(),
    eps: z.number(),
  })
  .transform((given) => ({
    ...vitConfig.parse({
      img_size: given.IMG_SIZE,
      patch_size: given.PATCH_SIZE,
      embed_dim: given.EMBED_DIM,
      depth: given.DEPTH,
      num_heads: given.NUM_HEADS,
      mlp_ratio: given.MLP_RATIO,
      num_classes: given.NUM_CLASSES,
      qkv_bias: given.QKV_BIAS,
      eps: given.eps,
    }),
    blocks: new Set(given.ATS_BLOCKS),
    samples: given.NUM_TOKENS,
    drops: given.DROP_TOKENS,
  }))

/** The place of the nearest number, of equally near ones the first. */
function nearest(numbers: readonly number[], to: number): number {
  const distances = numbers.map((x) => Math.abs(x - to))
  return distances.indexOf(Math.min(...distances))
}

/** What the official code calls the steps of a block. */
function stepsOf({ tensors, layer }: TokenEvent): readonly [string, Derived][] {
  const [ats, block] = [`ats${layer - 1}`, `block${layer - 1}`]
  const places = ({ ascending = [], order = [], mask = [] }: EventValues) =>
    order.flatMap((patch, i) => (mask[i] === 1 ? [ascending.indexOf(patch)] : []))
  const rows: Readonly<Record<string, Derived['row']>> = {
    [`${ats}_sorted_scores`]: ({ scores = [], ascending = [] }) =>
      ascending.map((patch) => scores[patch] ?? Number.NaN),
    // filling has no significance
    [`${ats}_sorted_idx`]: ({ ascending = [], scores = [] }) =>
      ascending.map((patch) => (scores[patch] === 0 ? anyIndex : patch)),
    [`${ats}_ncdf`]: ({ cumulative = [] }) => cumulative,
    [`${ats}_ys`]: ({ points = [] }) => points,
    [`${ats}_pick`]: ({ points = [], cumulative = [] }) => points.map((point) => nearest(cumulative, point)),
    [`${ats}_unique_all`]: (values) => {
      const { ascending = [], points = [] } = values
      const unique = places(values)
      return [...unique, ...new Array<number>(points.length - unique.length).fill(ascending.length)]
    },
    [`${block}_policy`]: ({ mask = [] }) => [1, ...mask],
  }
  return Object.entries(rows).map(([name, row]) => [name, { tensors, row }])
}

/** How many tokens of each picture a block goes on with. */
function countsOf(
  history: readonly TokenEvent[],
  { depth, tokens }: { depth: number; tokens: number },
): Derived {
  return {
    tensors: Object.fromEntries(
      history.flatMap((event) => {
        const mask = event.kind === 'reduce' ? event.tensors.mask : undefined
        return mask ? [[`${event.layer}`, mask] as const] : []
      }),
    ),
    row: (masks) => {
      let now = tokens
      return Array.from({ length: depth }, (_, block) => {
        now = masks[`${block + 1}`]?.reduce((sum, x) => sum + x, 1) ?? now
        return now
      })
    },
  }
}

const together = (ours: Ours): Ours => {
  if ('id' in ours) return { tensors: { ours }, row: ({ ours: row = [] }) => row, onlyTogether: true }
  return 'row' in ours ? { ...ours, onlyTogether: true } : ours
}

export const atsMethod = goldenMethod(config, (given, facts) => {
  const { blocks, samples, drops, depth } = given
  const [height, width] = [facts.image.height / given.patch_size, facts.image.width / given.patch_size]
  const tokens = height * width + 1
  const points = (block: number) =>
    blocks.has(block) ? samplesOf(samples[block] ?? 1, tokens) - 1 : undefined
  const modelOf = (options: Pick<SamplingOptions, 'gathered' | 'filling'>) => {
    const { history, built } = reducedVit(given, facts, tokenSampling({ points, ...options }))
    const counts = countsOf(history, { depth, tokens })
    return { history, built, counts, logits: built.outputs.logits as Tensor }
  }
  // as released: whatever a batch is filled up with has a part in it
  const official = modelOf({ gathered: drops, filling: 'counts' })
  const outputs: Record<string, Ours> = {
    ...official.built.outputs,
    ...Object.fromEntries(official.history.flatMap(stepsOf)),
    token_counts: official.counts,
  }
  // as this program runs it
  const alone = drops ? modelOf({ gathered: true, filling: 'nothing' }) : official
  return {
    ...official.built,
    outputs: {
      ...(drops
        ? Object.fromEntries(Object.entries(outputs).map(([name, ours]) => [name, together(ours)]))
        : outputs),
      logits_rows_alone: alone.logits,
      token_counts_rows_alone: alone.counts,
    },
  }
})
