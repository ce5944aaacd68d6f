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
  // Counted within the graph: a tensor's own id depends on what else the process has built.
  const computed = graph.nodes.filter(({ leaf }) => !leaf)
  const numbers = new Map(computed.map((tensor, index) => [tensor, index]))
  const nameOf = (tensor: Tensor, scope = '') =>
    tensor.leaf ? nameInside(scope, tensor.leaf.name) : `%${numbers.get(tensor)}`

  const lines = [`${graph.name}(${graph.inputs.map((input) => nameOf(input)).join(', ')})`]
  let scope = ''
  for (const tensor of computed) {
    if (tensor.scope !== scope) {
      scope = tensor.scope
      lines.push(scope)
    }
    const settings = Object.entries(tensor.attributes)
      .filter(([name]) => name !== 'shape' && name !== 'values')
      .map(([name, value]) => ` ${name}=${value}`)
      .join('')
    const operands = tensor.inputs.map((input) => nameOf(input, scope)).join(', ')
    const call = `  ${nameOf(tensor)} = ${tensor.op}(${operands})${settings}`
    const outputs = Object.keys(graph.outputs).filter((name) => graph.outputs[name] === tensor)
    const arrow = outputs.length > 0 ? `  → ${outputs.join(', ')}` : ''
    lines.push(`${call.padEnd(72)} ${formatShape(tensor.shape)}${arrow}`)
  }
  return lines.join('\n')
}

/** A parameter's name as it reads under the heading of a scope. */
function nameInside(scope: string, name: string): string {
  return scope !== '' && name.startsWith(`${scope}.`) ? name.slice(scope.length + 1) : name
}
