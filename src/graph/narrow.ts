import { defined } from '../base/assert.js'
import { minus, sameDim } from './dim.js'
import { type Graph, graphOf } from './graph.js'
import { slice } from './ops/index.js'
import type { Cut, Part, Tensor } from './tensor.js'

/** Rows that are worth it: to cut off a few of many would copy more than it saves. */
const mostRows = 4

function samePart(a: Part, b: Part): boolean {
  return a.axis === b.axis && sameDim(a.start, b.start) && sameDim(a.end, b.end)
}

function isSmall({ start, end }: Part): boolean {
  const rows = minus(end, start)
  return typeof rows === 'number' && rows <= mostRows
}

/** What of each tensor is read. */
interface Reading {
  /** Those of which a part is enough, and how it is made. */
  readonly cuts: ReadonlyMap<Tensor, Cut>
  /** Those of which nothing is. */
  readonly unread: readonly Tensor[]
}

/** Found from the outputs backwards. */
function readingOf({ nodes, outputs }: Graph): Reading {
  const wanted = new Map<Tensor, Part | 'whole'>(Object.values(outputs).map((tensor) => [tensor, 'whole']))
  const want = (tensor: Tensor, part: Part | 'whole') => {
    const before = wanted.get(tensor) ?? part
    const isSame = before !== 'whole' && part !== 'whole' && samePart(before, part)
    wanted.set(tensor, isSame ? part : 'whole')
  }
  const cuts = new Map<Tensor, Cut>()
  const unread: Tensor[] = []
  for (const tensor of nodes.toReversed()) {
    const { inputs, takes } = tensor
    const part = wanted.get(tensor)
    const cut = part === undefined || part === 'whole' ? undefined : tensor.cut(part)
    if (cut) cuts.set(tensor, cut)
    if (part === undefined) unread.push(tensor)
    else if (!cut) for (const input of inputs) want(input, takes && isSmall(takes) ? takes : 'whole')
    else if ('input' in cut) want(defined(inputs[cut.input], 'an input'), cut.part)
    else inputs.forEach((input, i) => void want(input, cut.parts[i] ?? 'whole'))
  }
  return { cuts, unread }
}

/**
 * The same outputs with less work: what is computed of all tokens, and then read of a few, is computed of these. Of a ViT whose
 * head reads the class token that is the last block but for its keys and values, a fifteenth of all work, which papers count.
 */
export function narrow(graph: Graph): Graph {
  const { cuts, unread } = readingOf(graph)
  // sizes that an unread tensor counts may stand in shapes of others
  if (cuts.size === 0 || unread.some(({ counts }) => counts)) return graph
  const skipped = new Set(unread)
  /** What each tensor became: of those that are cut, the part. */
  const made = new Map<Tensor, Tensor>()
  const of = (tensor: Tensor) => defined(made.get(tensor), `what became of %${tensor.id}`)
  const slices = new Map<string, Tensor>()
  const partOf = (tensor: Tensor, part: Part | undefined) => {
    if (part === undefined || cuts.has(tensor)) return of(tensor)
    const key = [tensor.id, part.axis, part.start, part.end].join(' ')
    const taken = slices.get(key) ?? slice(of(tensor), part)
    slices.set(key, taken)
    return taken
  }
  for (const tensor of graph.nodes) {
    if (skipped.has(tensor)) continue
    const { inputs, takes } = tensor
    const cut = cuts.get(tensor)
    const [first] = inputs
    if (cut && 'input' in cut) {
      made.set(tensor, partOf(defined(inputs[cut.input], 'an input'), cut.part))
    } else if (cut) {
      made.set(tensor, tensor.again(inputs.map((input, i) => partOf(input, cut.parts[i]))))
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
