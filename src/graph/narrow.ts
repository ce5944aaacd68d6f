import { defined } from '../base/assert.js'
import { minus, sameDim } from './dim.js'
import { type Graph, graphOf } from './graph.js'
import { slice } from './ops/index.js'
import type { Part, Tensor } from './tensor.js'

/** Rows that are worth it: to cut off a few of many would copy more than it saves. */
const mostRows = 4

/** A tensor of which nobody reads more than a part. */
interface Cut {
  readonly part: Part
  /** For each of its inputs, the axis that it is cut along; undefined: needed whole. */
  readonly axes: readonly (number | undefined)[]
}

function samePart(a: Part, b: Part): boolean {
  return a.axis === b.axis && sameDim(a.start, b.start) && sameDim(a.end, b.end)
}

function isSmall({ start, end }: Part): boolean {
  const rows = minus(end, start)
  return typeof rows === 'number' && rows <= mostRows
}

/** The tensors of which a part is enough, found from the outputs backwards. */
function cutsOf({ nodes, outputs }: Graph): ReadonlyMap<Tensor, Cut> {
  const wanted = new Map<Tensor, Part | 'whole'>(Object.values(outputs).map((tensor) => [tensor, 'whole']))
  const want = (tensor: Tensor, part: Part | 'whole') => {
    const before = wanted.get(tensor) ?? part
    const isSame = before !== 'whole' && part !== 'whole' && samePart(before, part)
    wanted.set(tensor, isSame ? part : 'whole')
  }
  const cuts = new Map<Tensor, Cut>()
  for (const tensor of nodes.toReversed()) {
    const part = wanted.get(tensor) ?? 'whole'
    const axes = part === 'whole' ? undefined : tensor.cutAlong(part.axis)
    if (part !== 'whole' && axes) cuts.set(tensor, { part, axes })
    const { takes } = tensor
    tensor.inputs.forEach((input, i) => {
      const axis = axes?.[i]
      if (part !== 'whole' && axis !== undefined) want(input, { ...part, axis })
      else want(input, !axes && takes && isSmall(takes) ? takes : 'whole')
    })
  }
  return cuts
}

/**
 * The same outputs with less work: what is computed of all tokens, and then read of a few, is computed of these. Of a ViT whose
 * head reads the class token that is the last block but for its keys and values, a fifteenth of all work, which papers count.
 * Rows that were joined from others before (big.LITTLE models) are left as they are.
 */
export function narrow(graph: Graph): Graph {
  const cuts = cutsOf(graph)
  if (cuts.size === 0) return graph
  /** What each tensor became: of those that are cut, the part. */
  const made = new Map<Tensor, Tensor>()
  const of = (tensor: Tensor) => defined(made.get(tensor), `what became of %${tensor.id}`)
  const slices = new Map<string, Tensor>()
  const partOf = (tensor: Tensor, part: Part) => {
    if (cuts.has(tensor)) return of(tensor)
    const key = [tensor.id, part.axis, part.start, part.end].join(' ')
    const cut = slices.get(key) ?? slice(of(tensor), part)
    slices.set(key, cut)
    return cut
  }
  for (const tensor of graph.nodes) {
    const { inputs, takes } = tensor
    const cut = cuts.get(tensor)
    const [first] = inputs
    if (cut) {
      const parts = inputs.map((input, i) => {
        const axis = cut.axes[i]
        return axis === undefined ? of(input) : partOf(input, { ...cut.part, axis })
      })
      made.set(tensor, tensor.again(parts))
    } else if (takes && first && cuts.has(first)) made.set(tensor, of(first))
    else {
      const others = inputs.map(of)
      const isSame = others.every((other, i) => other === inputs[i])
      made.set(tensor, isSame ? tensor : tensor.again(others))
    }
  }
  const outputs = Object.fromEntries(
    Object.entries(graph.outputs).map(([name, tensor]) => [name, of(tensor)]),
  )
  const sizes = graph.inputs.filter(({ leaf }) => leaf?.kind === 'input' && leaf.role === 'size')
  return graphOf(graph.name, outputs, { sizes })
}
