import { defined } from '../errors/assert.js'
import { BlvitError } from '../errors/blvit-error.js'
import { gradients } from '../graph/gradients.js'
import { type Graph, graphOf, type Parameter } from '../graph/graph.js'
import type { Tensor } from '../graph/tensor.js'
import { type AdamwOptions, adamw, type StateTensor, type Trained } from './adamw.js'
import { type ParameterGroup, treatmentOf } from './parameter-groups.js'

export interface TrainingStepOptions extends AdamwOptions {
  /** Of parameters with more than one axis that aren't embeddings (0.05). */
  readonly weightDecay?: number
  readonly groups?: readonly ParameterGroup[]
  /** What each step tells beside the loss, e.g. its parts or the logits. */
  readonly reports?: Readonly<Record<string, Tensor>>
  /** Inputs whose value is a size of the graph, e.g. `kept`. */
  readonly sizes?: readonly Tensor[]
}

/** One training step as one graph: forward, backward and the optimiser's update. */
export interface TrainingStep {
  readonly graph: Graph
  /** What lives from step to step: trained parameters and what the optimiser remembers of each. */
  readonly state: readonly StateTensor[]
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

/**
 * Makes a training step of a loss: its graph takes the pictures and targets that the loss is made of, the
 * learning rate, the step's number and the state; it gives `loss`, `gradient_norm`, the reports and the new state.
 * @param loss `[1]`, made by the functions in `objectives/`
 * @throws BlvitError `UNSUPPORTED` if an op on the way has no gradient rule, `BAD_OPTION` if everything is frozen
 *   or a report has the name of one of the step's own inputs or outputs
 */
export function trainingStep(name: string, loss: Tensor, options: TrainingStepOptions = {}): TrainingStep {
  const { weightDecay = 0.05, groups = [], reports = {}, sizes = [] } = options
  // what only a report needs isn't trained
  const forward = graphOf(name, { loss })
  const leaves = leavesByName(forward)
  const treated = forward.parameters.map((parameter) => ({
    ...parameter,
    tensor: defined(leaves.get(parameter.name), 'the leaf of a parameter'),
    treatment: treatmentOf(parameter, { groups, weightDecay }),
  }))
  const open = treated.filter(({ treatment }) => !treatment.frozen)
  if (open.length === 0) {
    const message = `${name} has nothing to train: all its ${treated.length} parameters are frozen.`
    throw new BlvitError('BAD_OPTION', message, { parameters: treated.length })
  }
  const found = gradients(
    loss,
    open.map(({ tensor }) => tensor),
  )
  const trained: Trained[] = open.map((parameter, i) => ({
    ...parameter,
    gradient: defined(found[i], 'a gradient'),
  }))
  const { state, outputs, gradientNorm } = adamw(trained, options)
  const reserved = { loss, gradient_norm: gradientNorm, ...outputs }
  const graph = graphOf(name, { ...reserved, ...reports }, { sizes })
  checkReports(reports, [...Object.keys(reserved), ...graph.inputs.map(({ leaf }) => leaf?.name ?? '')])
  const names = new Set(open.map((parameter) => parameter.name))
  return {
    graph,
    state,
    frozen: graph.parameters.filter((parameter) => !names.has(parameter.name)),
  }
}
