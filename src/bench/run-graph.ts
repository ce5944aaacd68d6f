import { readPart } from '../engine/read-part.js'
import type { Bindings } from '../graph/dim.js'
import { type Graph, graphOf, withCountedSizes } from '../graph/graph.js'
import type { Precision } from '../graph/lowering.js'
import { programOf } from '../models/model-definition.js'
import { measuredProgram, type Variant } from './variants.js'

interface RunGraphOptions {
  readonly precision?: Precision | undefined
  /** Default 1. */
  readonly batch?: number | undefined
  /** What a picture decided; default: the most that it can. */
  readonly counted?: Bindings | undefined
}

/** The graph that the engine runs of a variant, and its sizes. */
export function runGraph(
  { resolved }: Pick<Variant, 'resolved'>,
  { precision, batch = 1, counted }: RunGraphOptions = {},
): { readonly graph: Graph; readonly bindings: Bindings } {
  const { architecture, build, sizes } = resolved
  const model = architecture.build(build)
  const whole = graphOf(architecture.family, programOf(model, measuredProgram(architecture)), {
    sizes: model.sizes,
  })
  const graph = readPart(whole, { precision })
  const usual = architecture.usualRun?.sizes
  return { graph, bindings: withCountedSizes(graph, { ...usual, ...sizes, ...counted, batch }) }
}
