import { z } from 'zod'
import { slice } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { BlockHooks, TokenState } from '../models/block-loop.js'
import { type TokenWindows, wholeOf } from '../models/window-kinds.js'
import { backInGrid, type KeepingKind, keepInEach, lookedAt, streamOf } from './in-windows.js'
import { candidatesOf, keepBest, quartersAbout, ratesByBlock } from './keep-best.js'
import { blockList, flag, keepRateSteps, keepRates } from './parameters.js'
import type { Reduction } from './reduction.js'

const parameters = z.object({
  keep: keepRates,
  fuse: flag.default(true),
  blocks: blockList.optional(),
})

export interface EvitOptions {
  /**
   * K of a block, counted from 0, that `candidates` tokens behind the prefix come to; all of them, or undefined:
   * nothing is done there.
   */
  readonly kept: (block: number, candidates: number) => number | undefined
  readonly fuse: boolean
}

/**
 * Token reorganisation between attention and MLP (Liang et al. 2022, §3.2): the K = ⌈r·(N − 1)⌉ tokens that the class
 * token attends to most stay (equation 2), the others become one, x_fused = Σ aᵢ·xᵢ (equation 4). The fused token comes
 * last and is an ordinary candidate in later blocks.
 */
export function tokenReorganisation({ kept, fuse }: EvitOptions): BlockHooks {
  return {
    between: (state, { layer, attention }) => {
      const candidates = candidatesOf(state)
      const k = kept(layer - 1, candidates)
      if (k === undefined || k >= candidates) return undefined
      // the class token's row, averaged over heads
      const scores = slice(attention.clsRow(), { axis: 1, start: state.prefix })
      return scope('evit', () => keepBest(state, scores, { layer, kept: k, fuse }))
    },
  }
}

/**
 * The same in windows (spec §6.4): each window keeps a share of its tokens, those that attention gives most to. There is no class
 * token to ask, so tokens are ranked by what they receive, on average over heads and queries of the window, or of the picture
 * in a block that sees all of it. What went returns to the map at the end as it was when it went.
 */
function reorganisationInWindows({
  windows,
  fuse,
  rate,
}: {
  readonly windows: TokenWindows
  readonly fuse: boolean
  /** Of a block, counted from 0; undefined: it reduces nothing. */
  readonly rate: (block: number) => number | undefined
}): BlockHooks {
  /** K of each window of a kind that is in the stream. */
  const keeping = (state: TokenState, share: number) =>
    streamOf(state, windows).kinds.map((kind): KeepingKind => {
      const whole = state.stream ? kind.count : wholeOf(kind, windows)
      return { kind, kept: Math.min(kind.count, Math.ceil(share * whole)) }
    })
  const reduces = (state: TokenState, layer: number) => {
    const share = rate(layer - 1)
    const kinds = share === undefined ? [] : keeping(state, share)
    return kinds.some(({ kind, kept }) => kept < kind.count) ? kinds : undefined
  }
  return {
    attend: (view, state, block) => (reduces(state, block.layer) ? lookedAt(view, state, block) : undefined),
    between: (state, { layer, attention }) => {
      const kinds = reduces(state, layer)
      if (!kinds) return undefined
      return scope('evit', () =>
        keepInEach(state, attention.received(), { layer, windows, keeping: kinds, fuse }),
      )
    },
    pool: (state) => scope('evit', () => backInGrid(state)),
  }
}

export const evit: Reduction<typeof parameters> = {
  name: 'evit',
  about: 'keeps the patches that the class token attends to most and fuses the others into one',
  training: 'better',
  needs: {
    classToken: 'keeps the patches that the class token looks at',
    // the paper says nothing of such models, and their head would read another token
    notDistilled: 'has code that takes a distillation token for a patch, which may be dropped',
  },
  paper:
    'Liang et al., "Not All Patches are What You Need: Expediting Vision Transformers via Token Reorganizations", ICLR 2022',
  example: 'evit:0.7',
  inWindows: (model, { fuse, ...given }) => {
    const rates = ratesByBlock('evit', model, given)
    return reorganisationInWindows({ windows: model.windows, fuse, rate: (block) => rates.get(block) })
  },
  main: 'keep',
  steps: () => keepRateSteps,
  parameters,
  parametersAbout: {
    keep: 'share of the patches that stay, rounded up',
    fuse: 'whether the others become one token, their sum weighted by attention, instead of being gone',
    blocks: quartersAbout,
  },
  hooks: (model, { fuse, ...given }) => {
    const rates = ratesByBlock('evit', model, given)
    return tokenReorganisation({
      fuse,
      kept: (block, candidates) => {
        const rate = rates.get(block)
        return rate === undefined ? undefined : Math.ceil(rate * candidates)
      },
    })
  },
}
