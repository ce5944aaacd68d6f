import { z } from 'zod'
import { defined } from '../../../src/base/assert.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import { composeHooks } from '../../../src/models/block-loop.js'
import { type FusionOptions, goingOf, tokenFusion } from '../../../src/reduction/mctf.js'
import { type Derived, goldenMethod, vitConfig } from '../method.js'
import { reducedVit } from '../reduced-vit.js'

const config = vitConfig
  .partial({ img_size: true })
  .extend({
    input_size: z.int(),
    /** r, r of a teacher, trace, proportional, one step, τ_sim, τ_info, τ_size, bidirectional, pooling, unused. */
    mctf_type: z.array(z.number()).length(11),
    activate_layer: z.array(z.int()),
    r_evals: z.number(),
  })
  .transform((given) => ({ ...given, img_size: given.img_size ?? given.input_size }))

const poolings: Readonly<Record<number, FusionOptions['pooling']>> = { 0: 'size', 1: 'attention', 3: 'sum' }

export const mctfMethod = goldenMethod(config, (given, facts) => {
  const [
    ,
    ,
    ,
    proportional,
    oneStep,
    similarity = 1,
    informativeness = 1,
    size = 1,
    bidirectional,
    pooling = 1,
  ] = given.mctf_type
  const hooks = tokenFusion(
    (block, tokens) => (given.activate_layer.includes(block) ? goingOf(given.r_evals, tokens) : 0),
    {
      temperatures: { similarity, informativeness, size },
      bidirectional: bidirectional === 1,
      oneStep: oneStep === 1,
      proportional: proportional === 1,
      pooling: defined(poolings[pooling], `pooling ${pooling} (0, 1 and 3 are known)`),
    },
  )
  let sizes: Tensor | undefined
  const looking = composeHooks(hooks, {
    pool: (state) => {
      sizes = state.size
      return undefined
    },
  })
  const { history, built } = reducedVit(given, facts, looking)
  // the official indices count the class token among the sources, and a distillation token among the destinations
  const destinationsBefore = Number(given.distilled)
  const source = (list: readonly number[] = []) => list.map((index) => index + 1)
  const destination = (list: readonly number[] = []) => list.map((index) => index + destinationsBefore)
  const distillation = Array.from({ length: destinationsBefore }, (_, i) => i)
  const indices = history.flatMap(({ tensors, layer }): [string, Derived][] => {
    const block = `block${layer - 1}`
    const names: Readonly<Record<string, Derived['row']>> = {
      src_idx: ({ merged }) => source(merged),
      dst_idx: ({ into }) => destination(into),
      unm_idx: ({ left }) => [0, ...source(left)],
      ...('backMerged' in tensors && {
        src_idx2: ({ backMerged }) => destination(backMerged),
        dst_idx2: ({ backInto }) => source(backInto),
        unm_idx2: ({ backLeft }) => [...distillation, ...destination(backLeft)],
      }),
    }
    return Object.entries(names).map(([name, row]) => [`${block}_${name}`, { tensors, row }])
  })
  return {
    ...built,
    outputs: { ...built.outputs, ...Object.fromEntries(indices), ...(sizes && { size: sizes }) },
  }
})
