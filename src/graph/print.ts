import { formatShape } from './dim.js'
import type { Graph } from './graph.js'
import type { Tensor } from './tensor.js'

/**
 * The graph as text that reads like the paper: one line a tensor, under the headings of its scopes.
 * ```
 * blocks.1.attn
 *   %12 = Attention(%9, %10, %11) heads=3        [batch, 197, 192]
 * ```
 */
export function printGraph(graph: Graph): string {
  const lines = [`${graph.name}(${graph.inputs.map(nameOf).join(', ')})`]
  const outputNames = new Map(Object.entries(graph.outputs).map(([name, tensor]) => [tensor.id, name]))
  let scope = ''
  for (const tensor of graph.nodes) {
    if (tensor.leaf) continue
    if (tensor.scope !== scope) {
      scope = tensor.scope
      lines.push(scope === '' ? '' : scope)
    }
    const settings = Object.entries(tensor.attributes)
      .filter(([name]) => name !== 'shape')
      .map(([name, value]) => ` ${name}=${value}`)
      .join('')
    const operands = tensor.inputs.map((input) => nameOf(input, scope)).join(', ')
    const call = `  %${tensor.id} = ${tensor.op}(${operands})${settings}`
    const output = outputNames.get(tensor.id)
    lines.push(`${call.padEnd(72)} ${formatShape(tensor.shape)}${output ? `  → ${output}` : ''}`)
  }
  return lines.join('\n')
}

function nameOf(tensor: Tensor, scope: unknown = ''): string {
  if (!tensor.leaf) return `%${tensor.id}`
  const { name } = tensor.leaf
  return typeof scope === 'string' && scope !== '' && name.startsWith(`${scope}.`)
    ? name.slice(scope.length + 1)
    : name
}
