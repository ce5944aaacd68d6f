import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import {
  add,
  concat,
  constant,
  divide,
  expand,
  gelu,
  logSoftmax,
  mean,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
  slice,
} from '../graph/ops/index.js'
import { atScope, scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { BlockHooks, TokenState } from '../models/block-loop.js'
import { withOwnTraining } from '../models/own-training.js'
import { layerNorm } from '../nn/layer-norm.js'
import { linear, widthOf } from '../nn/linear.js'
import { drawnChoice, gumbelNoise } from './gumbel.js'
import { candidatesOf, keepBest, quartersAbout, ratesByBlock } from './keep-best.js'
import { diagonal, maskedSoftmaxMap } from './masked-softmax.js'
import { blockList, keepRateSteps, keepRates } from './parameters.js'
import type { Reduction } from './reduction.js'

const parameters = z.object({ keep: keepRates, blocks: blockList.optional() })

/** Of the predictors' norm: PyTorch's usual one, not the blocks'. */
const predictorEpsilon = 1e-5

/** A predictor and what stays behind it. */
export interface Stage {
  /** Counted from 0; its predictor stands before the block. */
  readonly block: number
  /** ρ, the share of all patches of the picture that stays. */
  readonly share: number
}

/** The mean of features over the patches that are kept. @param kept `[batch, patches]` @returns `[batch, 1, width]` */
function meanOfKept(features: Tensor, kept: Tensor | undefined): Tensor {
  if (!kept) return mean(features, { axes: [1] })
  const weights = reshape(kept, [...kept.shape, 1])
  return divide(reduceSum(multiply(features, weights), { axes: [1] }), reduceSum(weights, { axes: [1] }))
}

/**
 * The prediction module (§3.1, equations 2 to 5): how worth keeping a patch is, by its own features and those of all that
 * are kept.
 * @param patches `[batch, patches, width]` @param kept 1 for those that are; default: all. `[batch, patches]`
 * @returns log-probabilities to keep and to drop. `[batch, patches, 2]`
 */
function predict(stage: number, patches: Tensor, kept?: Tensor): Tensor {
  return atScope(`score_predictor.${stage}`, () => {
    const width = widthOf(patches)
    const [half, quarter] = [Math.floor(width / 2), Math.floor(width / 4)]
    const normed = layerNorm('in_conv.0', patches, { epsilon: predictorEpsilon })
    const features = gelu(linear('in_conv.1', normed, { out: width }))
    const local = slice(features, { axis: 2, end: half })
    const overall = meanOfKept(slice(features, { axis: 2, start: half }), kept)
    const spread = expand(overall, [sizeAt(local, 0), sizeAt(local, 1), width - half])
    const joined = gelu(linear('out_conv.0', concat([local, spread], { axis: 2 }), { out: half }))
    const narrowed = gelu(linear('out_conv.2', joined, { out: quarter }))
    return logSoftmax(linear('out_conv.4', narrowed, { out: 2 }))
  })
}

function patchesOf({ tokens, prefix }: TokenState): Tensor {
  return slice(tokens, { axis: 1, start: prefix })
}

/** The first of two numbers a patch. @param pairs `[batch, patches, 2]` @returns `[batch, patches]` */
function toKeep(pairs: Tensor): Tensor {
  return reshape(slice(pairs, { axis: 2, end: 1 }), [sizeAt(pairs, 0), sizeAt(pairs, 1)])
}

/** How a model runs: K = ⌊ρ·n⌋ patches go on, those of the highest scores, the others are gone (§3.3). */
function gathered(stages: readonly Stage[], patches: number): BlockHooks {
  return {
    before: (state, layer) => {
      const stage = stages.findIndex(({ block }) => block === layer - 1)
      const share = stages[stage]?.share ?? 1
      // a share of all that is no fewer than are left ranks them all the same; all of them is no choice
      if (share >= 1) return undefined
      const kept = Math.min(Math.floor(patches * share), candidatesOf(state))
      const logProbabilities = predict(stage, patchesOf(state))
      const next = scope('dynamic_vit', () =>
        keepBest(state, toKeep(logProbabilities), { layer: layer - 1, kept, fuse: false }),
      )
      return { ...next, aside: { ...state.aside, logProbabilities } }
    },
  }
}

/** Σ (mean of the patches that are kept − ρ)², averaged over the pictures (equation 14). @param kept `[batch, patches]` */
function shareError(kept: Tensor, share: number): Tensor {
  const apart = scaleShift(mean(kept, { axes: [1] }), { shift: -share })
  return mean(multiply(apart, apart))
}

/**
 * Which keys each query looks at: the kept ones, and its own, so that none sees nothing (equation 12).
 * @param kept `[batch, tokens]` @returns `[batch, 1, tokens, tokens]`
 */
function visible(kept: Tensor): Tensor {
  const tokens = Number(sizeAt(kept, 1))
  const own = diagonal(tokens)
  const keys = reshape(kept, [sizeAt(kept, 0), 1, 1, tokens])
  return add(multiply(keys, scaleShift(own, { scale: -1, shift: 1 })), own)
}

/**
 * How a model learns: every patch stays, so that gradients reach the predictors, and nobody looks at those that were let go
 * (§3.3). What is drawn to be kept multiplies with what was kept before.
 */
function masked(
  stages: readonly Stage[],
  noiseOf: (stage: number, shape: Tensor['shape']) => Tensor,
): BlockHooks {
  return {
    before: (state, layer) => {
      const stage = stages.findIndex(({ block }) => block === layer - 1)
      const { share } = stages[stage] ?? {}
      if (share === undefined) return undefined
      const before = state.aside?.kept
      const logProbabilities = predict(stage, patchesOf(state), before)
      return scope('dynamic_vit', () => {
        const drawn = toKeep(drawnChoice(logProbabilities, noiseOf(stage, logProbabilities.shape)))
        const kept = before ? multiply(drawn, before) : drawn
        const own = scaleShift(shareError(kept, share), { scale: 1 / stages.length })
        const others = state.training?.losses?.ratio
        const ratio = others ? add(others, own) : own
        return {
          ...state,
          aside: { ...state.aside, kept, logProbabilities },
          training: withOwnTraining(state.training, { losses: { ratio }, kept }),
        }
      })
    },
    attend: (view, { prefix, tokens, aside }) => {
      const batch = sizeAt(tokens, 0)
      const patches = aside?.kept ?? constant(1, [batch, candidatesOf({ tokens, prefix })])
      return scope('dynamic_vit', () => {
        const kept = prefix === 0 ? patches : concat([constant(1, [batch, prefix]), patches], { axis: 1 })
        return { output: view.mix(maskedSoftmaxMap(view, visible(kept))) }
      })
    },
  }
}

/**
 * Dynamic token sparsification (Rao et al. 2021): small predictors, learned with the model, say which patches go on.
 * @param options `patches`: n, of a picture; `noise`: the Gumbel noise of a stage while the model learns, `[batch, n, 2]`
 */
export function tokenSparsification(
  stages: readonly Stage[],
  {
    patches,
    noise = (stage, shape) => gumbelNoise(`dynamic_vit_noise.${stage}`, shape),
  }: { patches: number; noise?: (stage: number, shape: Tensor['shape']) => Tensor },
): BlockHooks {
  return { ...gathered(stages, patches), training: masked(stages, noise) }
}

/**
 * One rate r is of the patches that the stage before left: r, r², r³; several are shares of all patches.
 * @throws BlvitError `BAD_OPTION`
 */
function stagesOf(
  { depth, patches }: { depth: number; patches: number },
  { keep, blocks }: { keep: readonly number[]; blocks?: readonly number[] | undefined },
): readonly Stage[] {
  const refused = (message: string) => new BlvitError('BAD_OPTION', message, { reduction: 'dynamic-vit' })
  const rates = ratesByBlock('dynamic-vit', { depth }, { keep, blocks })
  const stages = [...rates]
    .toSorted(([a], [b]) => a - b)
    .map(([block, rate], i) => ({ block, share: keep.length === 1 ? rate ** (i + 1) : rate }))
  const least = Math.min(...stages.map(({ share }) => share))
  if (Math.floor(patches * least) < 1) {
    throw refused(`dynamic-vit shall keep ${least} of ${patches} patches, which is none. Give a higher rate.`)
  }
  return stages
}

export const dynamicVit: Reduction<typeof parameters> = {
  name: 'dynamic-vit',
  about: 'keeps the patches that small predictors, learned with the model, rank highest and drops the others',
  training: 'required',
  paper:
    'Rao et al., "DynamicViT: Efficient Vision Transformers with Dynamic Token Sparsification", NeurIPS 2021',
  example: 'dynamic-vit:0.7',
  main: 'keep',
  steps: (model, { blocks }) => {
    const stages = ratesByBlock('dynamic-vit', model, { keep: [1], blocks }).size
    return keepRateSteps.filter((rate) => Math.floor(model.patches * Number(rate) ** stages) >= 1)
  },
  parameters,
  parametersAbout: {
    keep: 'share of the patches that stay of those that the block before left; several are shares of all patches',
    blocks: quartersAbout,
  },
  ownWeights: 'predictors that it has learned with (score_predictor.0, …)',
  hooks: (model, given, made) => {
    const stages = stagesOf(model, given)
    const predictors = made ? stagesOf(model, made).length : 0
    if (stages.length <= predictors) return tokenSparsification(stages, model)
    const message = `dynamic-vit shall drop patches in front of ${stages.length} blocks, but this model has predictors for ${predictors}.`
    throw new BlvitError('BAD_OPTION', message, { reduction: 'dynamic-vit' })
  },
}
