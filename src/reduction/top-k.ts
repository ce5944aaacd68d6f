import { z } from 'zod'
import { slice } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { candidatesOf, keepBest, quartersAbout, ratesByBlock } from './keep-best.js'
import { blockList, keepRateSteps, keepRates } from './parameters.js'
import type { Reduction } from './reduction.js'

const parameters = z.object({ keep: keepRates, blocks: blockList.optional() })

/** What EViT is without its fused token: a control that any method which ranks patches should beat. */
export const topK: Reduction<typeof parameters> = {
  name: 'top-k',
  about: 'control: keeps the patches that the class token attends to most and drops the others',
  training: 'better',
  needs: { classToken: 'keeps the patches that the class token looks at' },
  paper: 'no paper; the first half of EViT',
  example: 'top-k:0.5',
  main: 'keep',
  steps: () => keepRateSteps,
  parameters,
  parametersAbout: { keep: 'share of the patches that stay, rounded up', blocks: quartersAbout },
  hooks: (model, given) => {
    const rates = ratesByBlock('top-k', model, given)
    return {
      between: (state, { layer, attention }) => {
        const candidates = candidatesOf(state)
        const kept = Math.ceil((rates.get(layer - 1) ?? 1) * candidates)
        if (kept >= candidates) return undefined
        const scores = slice(attention.clsRow(), { axis: 1, start: state.prefix })
        return scope('top_k', () => keepBest(state, scores, { layer, kept, fuse: false }))
      },
    }
  },
}
