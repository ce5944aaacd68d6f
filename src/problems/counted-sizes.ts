import type { Bindings } from '../graph/dim.js'
import { type Graph, graphOf } from '../graph/graph.js'
import { operand } from '../graph/op.js'
import { reshape } from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { type ModelDefinition, programOf } from '../models/model-definition.js'
import type { OutputRow, Problem } from './problem.js'

/** Before the name of a size in that of an output. */
const counted = 'counted.'

/** Masks of what goes on, as outputs of a run of one picture, each `[1, tokens]`. */
function masksOf({ nodes }: Graph): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    nodes.flatMap(({ counts, inputs }) => {
      if (!counts) return []
      const mask = operand(inputs, 1)
      return [[`${counted}${counts.size}`, reshape(mask, [1, sizeAt(mask, 0)])]]
    }),
  )
}

/** @param rows of one picture, by {@link countedSizes} */
export function sizesOf(rows: Readonly<Record<string, OutputRow>>): Bindings {
  const masks = Object.entries(rows).filter(([name]) => name.startsWith(counted))
  return Object.fromEntries(
    masks.map(([name, { values }]) => [
      name.slice(counted.length),
      values.filter((stays) => stays > 0).length,
    ]),
  )
}

/**
 * The sizes of a model's graph that a picture decides, by their names, e.g. how many tokens go on; none where it decides
 * none. Of one picture a run: in a batch they are those of the picture that keeps most.
 */
export const countedSizes: Problem<Bindings> = {
  name: 'counted sizes',
  outputs: (model: ModelDefinition) => {
    const asked = programOf(model, model.programs.classify ? 'classify' : 'embed')
    return { ...asked, ...masksOf(graphOf('counted sizes', asked, { sizes: model.sizes })) }
  },
  answer: sizesOf,
}
