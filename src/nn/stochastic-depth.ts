import { assert } from '../base/assert.js'
import { symbol } from '../graph/dim.js'
import { greater, multiply, noiseInput, reshape, scaleShift, slice } from '../graph/ops/index.js'
import { scopedName } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'

export interface StochasticDepthOptions {
  /** How often the branches of the last block are dropped; those of the first never, the others in between. */
  readonly rate: number
  /** Blocks of the model. */
  readonly depth: number
}

/** Random numbers, even in [0, 1), that decide what is dropped: `[batch, 2·depth]`, new ones at each run. */
export const stochasticDepthInput = 'stochastic_depth'

/** Attention and MLP, each drawn by itself. */
const branchesPerBlock = 2

interface Dropping extends StochasticDepthOptions {
  /** Column of each branch in the input, in the order in which they are made. */
  readonly columns: Map<string, number>
}

let current: Dropping | undefined

/**
 * Builds a model with stochastic depth (Huang et al. 2016): for each picture, whole branches are left out at random,
 * and what is kept is divided by how often it is kept. Like a scope it holds for everything that is built inside,
 * however deep; outside of it {@link dropPath} adds nothing to the graph.
 *
 * The random numbers are the noise {@link stochasticDepthInput}, so a run is the same on every device.
 */
export function stochasticDepth<T>({ rate, depth }: StochasticDepthOptions, build: () => T): T {
  const outer = current
  current = { rate, depth, columns: new Map() }
  try {
    return build()
  } finally {
    current = outer
  }
}

/**
 * Marks what a residual branch adds to the stream. Branches of one name in one scope are dropped together, as those
 * of a P- and an E-block that update the same tokens are.
 * @param name `attention`, then `mlp`, inside the scope of a block @param update `[batch, tokens, width]`
 */
export function dropPath(name: string, update: Tensor): Tensor {
  if (!current || current.rate === 0) return update
  const { rate, depth, columns } = current
  const own = scopedName(name)
  const column = columns.get(own) ?? columns.size
  columns.set(own, column)
  const count = branchesPerBlock * depth
  assert(column < count, `more than ${count} residual branches`)
  const dropped = depth === 1 ? rate : (rate * Math.floor(column / branchesPerBlock)) / (depth - 1)
  if (dropped === 0) return update
  const numbers = noiseInput(stochasticDepthInput, [symbol('batch'), count])
  const drawn = slice(numbers, { axis: 1, start: column, end: column + 1 })
  const keeps = scaleShift(greater(drawn, dropped), { scale: 1 / (1 - dropped) })
  return multiply(update, reshape(keeps, [sizeAt(update, 0), 1, 1]))
}
