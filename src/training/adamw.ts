import {
  add,
  constant,
  divide,
  exponentialMinusOne,
  input,
  maximum,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
  squareRoot,
  subtract,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { bundlesOf, joined, taken } from './bundles.js'
import type { Treatment } from './parameter-groups.js'

export interface AdamwOptions {
  /** How much of the two running means stays at each step (0.9, 0.999). */
  readonly betas?: readonly [number, number]
  /** Added to the root of the second mean (1e-8). */
  readonly epsilon?: number
  /** All gradients together are scaled down to this norm if they exceed it; absent: they are taken as they are. */
  readonly clipNorm?: number
  /** How much of a running mean of the parameters stays at each step, e.g. 0.9999; absent: none is kept. */
  readonly emaDecay?: number
}

/** Something to be trained. */
export interface Trained {
  readonly name: string
  readonly shape: readonly number[]
  readonly tensor: Tensor
  readonly gradient: Tensor
  readonly treatment: Treatment
}

/** A tensor that lives from step to step: fed as an input, given back as an output. */
export interface StateTensor {
  readonly input: string
  readonly output: string
  readonly shape: readonly number[]
  /** The parameter whose numbers it starts with; absent: zeros. */
  readonly startsAs?: string
}

/** A step of the optimiser as graph ops. */
export interface OptimiserStep {
  readonly state: readonly StateTensor[]
  /** The new value of each state tensor, by the name of its output. */
  readonly outputs: Readonly<Record<string, Tensor>>
  /** The norm of all gradients together, before clipping. `[1]` */
  readonly gradientNorm: Tensor
}

/** Names of the inputs that every step takes beside its state, both float32 `[1]`. */
export const stepInputs = { learningRate: 'learning_rate', step: 'step' } as const

/** √(Σ of all squares), of any number of tensors. */
function normOf(tensors: readonly Tensor[]): Tensor {
  const squares = tensors.map((x) => reshape(reduceSum(multiply(x, x)), [1]))
  return squareRoot(squares.reduce(add, constant(0, [1])))
}

/** `decay·old + (1 − decay)·now`, a running mean */
function runningMean(old: Tensor, now: Tensor, decay: number): Tensor {
  return add(scaleShift(old, { scale: decay }), scaleShift(now, { scale: 1 - decay }))
}

/** `1 − betaᵗ`: how much of a running mean that started at 0 has been filled after step t. */
function filled(beta: number, step: Tensor): Tensor {
  return scaleShift(exponentialMinusOne(scaleShift(step, { scale: Math.log(beta) })), { scale: -1 })
}

/**
 * AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2, with PyTorch's order of
 * operations). Inputs of the graph: {@link stepInputs}, and the two running means of each bundle of parameters that are
 * treated alike.
 */
export function adamw(parameters: readonly Trained[], options: AdamwOptions = {}): OptimiserStep {
  const { betas = [0.9, 0.999], epsilon = 1e-8, clipNorm, emaDecay } = options
  return scope('optimiser', () => {
    const learningRate = input(stepInputs.learningRate, [1])
    const step = input(stepInputs.step, [1])
    const bundles = bundlesOf(parameters).map((bundle) => ({
      ...bundle,
      gradient: joined(bundle.members.map(({ gradient }) => gradient)),
    }))
    const gradientNorm = normOf(bundles.map(({ gradient }) => gradient))
    const shrink =
      clipNorm === undefined ? undefined : maximum(scaleShift(gradientNorm, { scale: 1 / clipNorm }), 1)
    const stepSize = divide(learningRate, filled(betas[0], step))
    const rootOfFilled = squareRoot(filled(betas[1], step))
    const state: StateTensor[] = []
    const outputs: Record<string, Tensor> = {}
    const keep = (name: string, shape: readonly number[], next: Tensor, startsAs?: string) => {
      const output = `next/${name}`
      state.push({ input: name, output, shape, ...(startsAs === undefined ? {} : { startsAs }) })
      outputs[output] = next
    }
    for (const bundle of bundles) {
      const { name, shape, treatment, members, gradient } = bundle
      scope(name, () => {
        const clipped = shrink ? divide(gradient, shrink) : gradient
        const first = runningMean(input(`first_moment/${name}`, shape), clipped, betas[0])
        const squares = multiply(clipped, clipped)
        const second = runningMean(input(`second_moment/${name}`, shape), squares, betas[1])
        const root = scaleShift(divide(squareRoot(second), rootOfFilled), { shift: epsilon })
        const { learningRateScale, weightDecay } = treatment
        const decay = scaleShift(learningRate, { scale: -learningRateScale * weightDecay, shift: 1 })
        const now = joined(members.map(({ tensor }) => tensor))
        const decayed = weightDecay === 0 ? now : multiply(now, decay)
        const move = multiply(divide(first, root), scaleShift(stepSize, { scale: learningRateScale }))
        const next = subtract(decayed, move)
        keep(`first_moment/${name}`, shape, first)
        keep(`second_moment/${name}`, shape, second)
        const keepEach = (whole: Tensor, nameOf: (own: string) => string) => {
          for (const [i, tensor] of taken(whole, bundle).entries()) {
            const member = members[i]
            if (member) keep(nameOf(member.name), member.shape, tensor, member.name)
          }
        }
        keepEach(next, (own) => own)
        if (emaDecay === undefined) return
        const mean = joined(members.map((member) => input(`ema/${member.name}`, member.shape)))
        keepEach(runningMean(mean, next, emaDecay), (own) => `ema/${own}`)
      })
    }
    return { state, outputs, gradientNorm }
  })
}
