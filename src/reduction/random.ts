import { z } from 'zod'
import { noiseInput } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt } from '../graph/tensor.js'
import { candidatesOf, keepBest, quartersAbout, ratesByBlock } from './keep-best.js'
import { blockList, keepRateSteps, keepRates } from './parameters.js'
import type { Reduction } from './reduction.js'

const parameters = z.object({ keep: keepRates, blocks: blockList.optional() })

/** As many patches as top-k keeps in the same blocks, chosen by chance: what a ranking is worth is the difference. */
export const random: Reduction<typeof parameters> = {
  name: 'random',
  about: 'control: keeps patches by chance, in each picture others, and drops the rest',
  training: 'better',
  paper: 'no paper',
  example: 'random:0.5',
  main: 'keep',
  steps: () => keepRateSteps,
  parameters,
  parametersAbout: { keep: 'share of the patches that stay, rounded up', blocks: quartersAbout },
  hooks: (model, given) => {
    const rates = ratesByBlock('random', model, given)
    return {
      between: (state, { layer }) => {
        const candidates = candidatesOf(state)
        const block = layer - 1
        const kept = Math.ceil((rates.get(block) ?? 1) * candidates)
        if (kept >= candidates) return undefined
        const scores = noiseInput(`reduction_noise.${block}`, [sizeAt(state.tokens, 0), candidates])
        return scope('random', () => keepBest(state, scores, { layer, kept, fuse: false }))
      },
    }
  },
}
