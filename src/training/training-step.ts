import { defined } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import { checkWholeNumbers } from '../base/whole-number.js'
import { gradients } from '../graph/gradients.js'
import { type Graph, graphOf, type Parameter } from '../graph/graph.js'
import { add, input, scaleShift } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import type { NamedShape } from '../models/facts.js'
import { type AdamwOptions, adamw, type StateTensor, type Trained } from './adamw.js'
import { type LearningRateScale, type ParameterGroup, treatmentOf } from './parameter-groups.js'

export interface TrainingStepOptions extends AdamwOptions {
  /** Of the parameters that are decayed (0.05). */
  readonly weightDecay?: number
  /** Which they are; a model's facts know. Default: those with more than one axis. */
  readonly isDecayed?: (parameter: NamedShape) => boolean
  readonly groups?: readonly ParameterGroup[]
  /** See {@link layerDecay}; a group's own scale goes before. */
  readonly layerScale?: LearningRateScale
  /** What each step tells beside the loss, e.g. its parts or the logits. */
  readonly reports?: Readonly<Record<string, Tensor>>
  /** Inputs whose value is a size of the graph, e.g. `kept`. */
  readonly sizes?: readonly Tensor[]
  /**
   * How many batches make one update (1): the gradient is the mean of theirs, as if they were one large batch.
   * Clipping is of that mean.
   */
  readonly accumulate?: number
}

/** How the gradients of several batches are added up before an update. */
export interface Accumulation {
  /** How many batches make one update. */
  readonly batches: number
  /** Forward and backward: adds the gradients of a batch to {@link sums}; gives the loss and the reports. */
  readonly graph: Graph
  /** The gradients so far, zeros before the first batch. */
  readonly sums: readonly StateTensor[]
}

/** One training step as one graph: forward, backward and the optimiser's update. */
export interface TrainingStep {
  /** All of it; with {@link accumulation} the update alone, which reads the sums of gradients. */
  readonly graph: Graph
  /** What lives from step to step: trained parameters and what the optimiser remembers of each. */
  readonly state: readonly StateTensor[]
  readonly accumulation?: Accumulation
  /** Parameters that stay as they are, e.g. a teacher's. */
  readonly frozen: readonly Parameter[]
}

/** The first leaf of each parameter's name; the others are the same parameter. */
function leavesByName(graph: Graph): ReadonlyMap<string, Tensor> {
  const leaves = new Map<string, Tensor>()
  for (const tensor of graph.nodes) {
    if (tensor.leaf?.kind === 'parameter' && !leaves.has(tensor.leaf.name))
      leaves.set(tensor.leaf.name, tensor)
  }
  return leaves
}

/** A report under a name that the step itself uses would hide something. */
function checkReports(reports: Readonly<Record<string, Tensor>>, taken: readonly string[]): void {
  const clash = Object.keys(reports).find((report) => taken.includes(report))
  if (clash === undefined) return
  const message = `The report "${clash}" has the name of an input or output of the training step. Call it otherwise.`
  throw new BlvitError('BAD_OPTION', message, { report: clash })
}

/** Norms and biases have only one. */
function hasAxes({ shape }: NamedShape): boolean {
  return shape.length > 1
}

function trainedParameters(
  forward: Graph,
  { groups = [], layerScale, weightDecay = 0.05, isDecayed = hasAxes }: TrainingStepOptions,
): Omit<Trained, 'gradient'>[] {
  const leaves = leavesByName(forward)
  const learning = forward.parameters.filter(({ learns }) => learns)
  const treated = learning.map((parameter) => ({
    ...parameter,
    tensor: defined(leaves.get(parameter.name), 'the leaf of a parameter'),
    treatment: treatmentOf(parameter, { groups, layerScale, weightDecay, isDecayed }),
  }))
  const open = treated.filter(({ treatment }) => !treatment.frozen)
  if (open.length > 0) return open
  const message = `${forward.name} has nothing to train: all its ${treated.length} parameters are frozen.`
  throw new BlvitError('BAD_OPTION', message, { parameters: treated.length })
}

/** Adds gradients to what earlier batches gave. */
function accumulated(trained: readonly Trained[], batches: number) {
  return scope('accumulation', () => {
    const sums = trained.map(({ name, shape, gradient }) => {
      const own = `gradient_sum/${name}`
      const before = input(own, shape)
      const state: StateTensor = { input: own, output: `next/${own}`, shape }
      return { state, next: add(before, gradient), mean: scaleShift(before, { scale: 1 / batches }) }
    })
    return {
      sums: sums.map(({ state }) => state),
      outputs: Object.fromEntries(sums.map(({ state, next }) => [state.output, next])),
      /** As the update reads them. */
      means: trained.map((parameter, i) => ({ ...parameter, gradient: defined(sums[i], 'a sum').mean })),
    }
  })
}

/**
 * Makes a training step of a loss: its graph takes the pictures and targets that the loss is made of, the
 * learning rate, the step's number and the state; it gives `loss`, `gradient_norm`, the reports and the new state.
 * With `accumulate` forward and backward are a graph of their own, {@link TrainingStep.accumulation}.
 * @param loss `[1]`, made by the functions in `objectives/`; a mean over pictures
 * @throws BlvitError `UNSUPPORTED` if an op on the way has no gradient rule, `BAD_OPTION` if everything is frozen
 *   or a report has the name of one of the step's own inputs or outputs
 */
export function trainingStep(name: string, loss: Tensor, options: TrainingStepOptions = {}): TrainingStep {
  const { reports = {}, sizes = [], accumulate = 1 } = options
  checkWholeNumbers({ accumulate })
  // what only a report needs isn't trained
  const open = trainedParameters(graphOf(name, { loss }), options)
  const found = gradients(
    loss,
    open.map(({ tensor }) => tensor),
  )
  const trained: Trained[] = open.map((parameter, i) => ({
    ...parameter,
    gradient: defined(found[i], 'a gradient'),
  }))
  const names = new Set(open.map((parameter) => parameter.name))
  const frozenIn = (graph: Graph) => graph.parameters.filter((parameter) => !names.has(parameter.name))
  const withReports = (own: Readonly<Record<string, Tensor>>) => {
    const graph = graphOf(name, { ...own, ...reports }, { sizes })
    checkReports(reports, [...Object.keys(own), ...graph.inputs.map(({ leaf }) => leaf?.name ?? '')])
    return graph
  }
  if (accumulate === 1) {
    const { state, outputs, gradientNorm } = adamw(trained, options)
    const graph = withReports({ loss, gradient_norm: gradientNorm, ...outputs })
    return { graph, state, frozen: frozenIn(graph) }
  }
  const { sums, outputs: added, means } = accumulated(trained, accumulate)
  const { state, outputs, gradientNorm } = adamw(means, options)
  const graph = graphOf(`${name}_update`, { gradient_norm: gradientNorm, ...outputs })
  checkReports(reports, Object.keys(graph.outputs))
  const backward = withReports({ loss, ...added })
  return {
    graph,
    state,
    frozen: frozenIn(backward),
    accumulation: { batches: accumulate, graph: backward, sums },
  }
}
