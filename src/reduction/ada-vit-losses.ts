import {
  add,
  concat,
  divide,
  exponential,
  greater,
  logarithm,
  mean,
  multiply,
  reduceSum,
  relu,
  reshape,
  scaleShift,
  sigmoid,
  slice,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { BlockDecisions, Decision } from './ada-vit-decisions.js'

/** What the released code can ask of decisions beside their share; weights of 0 ask nothing. */
interface Wishes {
  /** Of how far shares of single heads or blocks are from the target. */
  readonly diversity: number
  /** Of how sure decisions are: the mean entropy is subtracted. */
  readonly entropy: number
  /** Of how far shares are below `least`. */
  readonly minimum: number
  readonly least: number
}

export interface AdaVitLossOptions {
  /** The share that shall be taken, γ of the paper. */
  readonly target?: number
  readonly heads?: Wishes
  readonly layers?: Wishes
  readonly tokens?: Pick<Wishes, 'minimum' | 'least'>
}

const none: Wishes = { diversity: 0, entropy: 0, minimum: 0, least: 0 }

// of the released code: no share of nothing
const epsilon = 1e-6

function absolute(x: Tensor): Tensor {
  return add(relu(x), relu(scaleShift(x, { scale: -1 })))
}

/** `[1]` */
function total(x: Tensor): Tensor {
  return reshape(reduceSum(x), [1])
}

/** A loss and its further wishes, those that weigh nothing left out. */
function weighted(first: Tensor, wishes: readonly (readonly [weight: number, loss: () => Tensor])[]): Tensor {
  const asked = wishes.flatMap(([weight, loss]) =>
    weight === 0 ? [] : [scaleShift(loss(), { scale: weight })],
  )
  return asked.reduce(add, first)
}

/** The decisions of several blocks side by side. `[batch, blocks, things]` */
function stacked(decisions: readonly Decision[], what: keyof Decision): Tensor {
  const blocks = decisions.map((decision) => {
    const x = decision[what]
    return reshape(x, [sizeAt(x, 0), 1, sizeAt(x, 1)])
  })
  return concat(blocks, { axis: 1 })
}

/** The mean entropy of yes and no, in nats. @returns `[1]` */
function meanEntropy(logits: Tensor): Tensor {
  // H(σ(x)) = log(1 + e^x) − x·σ(x), with log(1 + e^x) = max(x, 0) + log(1 + e^−|x|)
  const small = exponential(scaleShift(absolute(logits), { scale: -1 }))
  const softplus = add(relu(logits), logarithm(scaleShift(small, { shift: 1 })))
  const entropy = add(softplus, scaleShift(multiply(logits, sigmoid(logits)), { scale: -1 }))
  return mean(entropy)
}

/** Σ relu(least − share) @returns `[1]` */
function belowLeast(shares: Tensor, least: number): Tensor {
  return total(relu(scaleShift(shares, { scale: -1, shift: least })))
}

/** 1 for each picture and block of which a half runs; no gradient flows into it. `[batch, blocks, 1]` */
function runs(layers: Tensor): Tensor {
  return greater(reduceSum(layers, { axes: [2] }), 0.5)
}

/** Of heads: those of blocks that don't run at all don't count. */
function headLoss(
  decisions: readonly Decision[],
  layers: readonly Decision[],
  { target, wishes }: { target: number; wishes: Wishes },
): Tensor {
  const taken = stacked(decisions, 'taken')
  const counts = layers.length > 0 ? runs(stacked(layers, 'taken')) : undefined
  const ofRunning = counts ? multiply(taken, counts) : taken
  const ones = counts ?? scaleShift(slice(taken, { axis: 2, end: 1 }), { scale: 0, shift: 1 })
  const heads = Number(sizeAt(taken, 2))
  const share = divide(total(ofRunning), scaleShift(total(ones), { scale: heads, shift: epsilon }))
  // of each head of each block, over the batch: [1, blocks, heads]
  const shares = () =>
    divide(
      reduceSum(ofRunning, { axes: [0] }),
      scaleShift(reduceSum(ones, { axes: [0] }), { shift: epsilon }),
    )
  return weighted(absolute(scaleShift(share, { shift: -target })), [
    [wishes.diversity, () => mean(absolute(scaleShift(shares(), { shift: -target })))],
    [wishes.minimum, () => belowLeast(shares(), wishes.least)],
    [-wishes.entropy, () => meanEntropy(stacked(decisions, 'logits'))],
  ])
}

function layerLoss(
  decisions: readonly Decision[],
  { target, wishes }: { target: number; wishes: Wishes },
): Tensor {
  const taken = stacked(decisions, 'taken')
  const apart = (share: Tensor) => absolute(scaleShift(share, { shift: -target }))
  return weighted(apart(mean(taken)), [
    [wishes.diversity, () => mean(apart(mean(taken, { axes: [0, 2] })))],
    [wishes.minimum, () => belowLeast(mean(taken, { axes: [0] }), wishes.least)],
    [-wishes.entropy, () => meanEntropy(stacked(decisions, 'logits'))],
  ])
}

function tokenLoss(
  decisions: readonly Decision[],
  { target, wishes }: { target: number; wishes: Pick<Wishes, 'minimum' | 'least'> },
): Tensor {
  const taken = stacked(decisions, 'taken')
  const apart = scaleShift(mean(taken), { shift: -target })
  return weighted(multiply(apart, apart), [
    [wishes.minimum, () => belowLeast(mean(taken, { axes: [2] }), wishes.least)],
  ])
}

/**
 * What AdaViT learns beside the labels (Meng et al. 2022, §3.4, as the released code has it): that a share of heads, of
 * halves of blocks and of tokens is taken. The paper's recipe weights each with 2.
 * @param decisions of all blocks while the model learns
 * @returns `headUsage`, `layerUsage`, `tokenUsage`, as far as the model decides; each `[1]`
 */
export function adaVitLosses(
  decisions: readonly BlockDecisions[],
  { target = 0.5, heads = none, layers = none, tokens = none }: AdaVitLossOptions = {},
): Readonly<Record<string, Tensor>> {
  const of = (kind: keyof BlockDecisions) => decisions.flatMap((block) => block[kind] ?? [])
  const [ofHeads, ofLayers, ofTokens] = [of('heads'), of('layers'), of('tokens')]
  return {
    ...(ofHeads.length > 0 && { headUsage: headLoss(ofHeads, ofLayers, { target, wishes: heads }) }),
    ...(ofLayers.length > 0 && { layerUsage: layerLoss(ofLayers, { target, wishes: layers }) }),
    ...(ofTokens.length > 0 && { tokenUsage: tokenLoss(ofTokens, { target, wishes: tokens }) }),
  }
}
