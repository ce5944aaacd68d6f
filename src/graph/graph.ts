import { assert } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import { conventions } from './cost.js'
import { type Bindings, evaluate, formatShape, sameShape } from './dim.js'
import type { Initialiser } from './initialiser.js'
import type { Leaf, Tensor } from './tensor.js'

/** A stored tensor of a graph. */
export interface Parameter {
  readonly name: string
  /** False for a buffer and for a fixed parameter. */
  readonly learns: boolean
  /** False for a buffer, such as a running mean, which counts of parameters leave out. */
  readonly counted: boolean
  readonly shape: readonly number[]
  readonly initialiser: Initialiser
}

/** A computation: everything that its outputs depend on, in an order in which it can be computed. */
export interface Graph {
  readonly name: string
  readonly outputs: Readonly<Record<string, Tensor>>
  /** All tensors, inputs before their users. */
  readonly nodes: readonly Tensor[]
  /** Leaves that are fed at each run, each name once. */
  readonly inputs: readonly Tensor[]
  /** Leaves that come from a weights file, each name once, in order of use. */
  readonly parameters: readonly Parameter[]
}

/** Everything that some tensors depend on, themselves included, inputs before their users. */
export function reachable(outputs: readonly Tensor[]): Tensor[] {
  const seen = new Set<Tensor>()
  const open = [...outputs]
  for (let tensor = open.pop(); tensor; tensor = open.pop()) {
    if (seen.has(tensor)) continue
    seen.add(tensor)
    open.push(...tensor.inputs)
  }
  // ids rise in order of creation, and a tensor is created after its inputs
  return [...seen].sort((a, b) => a.id - b.id)
}

/** The leaves of a kind, each name once: made twice in equal form they are one and the same. */
function leavesOf(nodes: readonly Tensor[], kind: Leaf['kind']): ReadonlyMap<string, Tensor> {
  const found = new Map<string, Tensor>()
  for (const tensor of nodes) {
    if (tensor.leaf?.kind !== kind) continue
    const { name } = tensor.leaf
    const first = found.get(name)
    if (
      first &&
      !(sameShape(first.shape, tensor.shape) && first.dtype === tensor.dtype && first.op === tensor.op)
    ) {
      const form = ({ op, dtype, shape }: Tensor) =>
        `${first.op === tensor.op ? '' : `${op} `}${dtype} ${formatShape(shape)}`
      throw new BlvitError(
        'SHAPE_MISMATCH',
        `The ${kind} ${name} is made twice, as ${form(first)} and as ${form(tensor)}. ` +
          `Put one of them into a scope of its own.`,
        { [kind]: name, shapes: [first, tensor].map(({ shape }) => shape.map(String)) },
      )
    }
    if (!first) found.set(name, tensor)
  }
  return found
}

function parametersOf(nodes: readonly Tensor[]): Parameter[] {
  return [...leavesOf(nodes, 'parameter')].map(([name, { leaf, shape }]) => {
    assert(leaf?.kind === 'parameter', 'a parameter without a leaf')
    return {
      name,
      shape: shape.map((dim) => evaluate(dim, {})),
      initialiser: leaf.initialiser,
      learns: leaf.learns,
      counted: leaf.counted,
    }
  })
}

/** Each size that ops count has one meaning. */
function checkCounts(nodes: readonly Tensor[]): void {
  const told = new Map<string, string>()
  for (const { op, scope, leaf, counts } of nodes) {
    const isSize = leaf?.kind === 'input' && leaf.role === 'size'
    const size = isSize ? leaf.defines : counts?.size
    if (size === undefined) continue
    const by = isSize ? `the input ${leaf.name}` : `${op} in ${scope || 'the graph'}`
    const other = told.get(size)
    told.set(size, by)
    if (other === undefined || (isSize && other === by)) continue
    const message = `The size ${size} is told twice, by ${other} and by ${by}. Put one of them into a scope of its own.`
    throw new BlvitError('SHAPE_MISMATCH', message, { size })
  }
}

/**
 * Collects a graph from its named outputs.
 * @param options `sizes`: inputs that are part of the graph because shapes mention their value
 */
export function graphOf(
  name: string,
  outputs: Readonly<Record<string, Tensor>>,
  { sizes = [] }: { sizes?: readonly Tensor[] } = {},
): Graph {
  const nodes = reachable([...Object.values(outputs), ...sizes])
  checkCounts(nodes)
  return {
    name,
    outputs,
    nodes,
    inputs: [...leavesOf(nodes, 'input').values()],
    parameters: parametersOf(nodes),
  }
}

/**
 * Sizes with those that the graph counts when it runs: as they were measured, or else as large as they can become.
 * @param sizes of everything else, and what was measured
 */
export function withCountedSizes({ nodes }: Pick<Graph, 'nodes'>, sizes: Bindings): Bindings {
  const all: Record<string, number> = { ...sizes }
  for (const { counts } of nodes) if (counts) all[counts.size] ??= evaluate(counts.most, all)
  return all
}

/** All multiply-adds of a graph, attention and backward pass included, as its ops tell them; counted sizes at their most. */
export function graphWork({ nodes }: Graph, sizes: Bindings): number {
  const all = withCountedSizes({ nodes }, sizes)
  return nodes.reduce((sum, node) => sum + evaluate(conventions.full(node.cost()), all), 0)
}
