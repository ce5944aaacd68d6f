import { conventions } from '../graph/cost.js'
import { type Bindings, evaluate } from '../graph/dim.js'
import type { Graph } from '../graph/graph.js'
import type { ProfiledNode } from './read-profile.js'

/** The time of the nodes of one kind: an operator in a scope, all layers together. */
export interface ProfileRow {
  /** Layer numbers replaced by `*`; `(engine)` for nodes that the engine added. */
  readonly scope: string
  readonly operator: string
  /** Of one run. */
  readonly ms: number
  readonly share: number
  readonly nodes: number
  /** Absent for operators that multiply no matrices, and where several in one scope share its work. */
  readonly gflops?: number
}

/**
 * Operators that do the multiply-adds of their scope, in every precision and however the engine fused them:
 * FusedGemm, DynamicQuantizeMatMul, MatMulIntegerToFloat, MultiHeadAttention, NhwcFusedConv, …
 */
const multiplying = /Gemm|MatMul|Attention|Conv(?!ert)/

/** The scope whose node it is; `(engine)` for nodes that the engine added. */
function scopeOf({ node }: ProfiledNode): string {
  const end = node.lastIndexOf('/')
  return end < 0 ? '(engine)' : node.slice(0, end)
}

/** `blocks.3.attn` → `blocks.*.attn` */
function withoutNumbers(scope: string): string {
  return scope.replace(/\b\d+\b/g, '*')
}

/** The multiply-adds of each scope of a graph. */
export function multiplyAddsByScope(graph: Graph, sizes: Bindings): Map<string, number> {
  const work = new Map<string, number>()
  for (const tensor of graph.nodes) {
    const here = evaluate(conventions.full(tensor.cost()), sizes)
    if (here > 0) work.set(tensor.scope, (work.get(tensor.scope) ?? 0) + here)
  }
  return work
}

/** Nodes that do all the multiply-adds of their scope; in a backward pass two or three share them. */
function multipliersAlone(nodes: readonly ProfiledNode[]): ReadonlySet<ProfiledNode> {
  const byScope = new Map<string, ProfiledNode[]>()
  for (const node of nodes.filter(({ operator }) => multiplying.test(operator)))
    byScope.set(scopeOf(node), [...(byScope.get(scopeOf(node)) ?? []), node])
  return new Set(
    [...byScope.values()].flatMap((multipliers) => (multipliers.length === 1 ? multipliers : [])),
  )
}

/**
 * Sums the times of nodes by scope and operator, the slowest first.
 * @param work multiply-adds by scope
 */
export function rowsOf(
  nodes: readonly ProfiledNode[],
  work: ReadonlyMap<string, number>,
  runs: number,
): ProfileRow[] {
  const alone = multipliersAlone(nodes)
  const total = nodes.reduce((sum, { microseconds }) => sum + microseconds, 0)
  const groups = new Map<
    string,
    { scope: string; operator: string; us: number; nodes: number; work: number }
  >()
  for (const node of nodes) {
    const scope = scopeOf(node)
    const key = `${withoutNumbers(scope)} ${node.operator}`
    const group = groups.get(key) ?? {
      scope: withoutNumbers(scope),
      operator: node.operator,
      us: 0,
      nodes: 0,
      work: 0,
    }
    group.us += node.microseconds
    group.nodes += 1
    if (alone.has(node)) group.work += work.get(scope) ?? 0
    groups.set(key, group)
  }
  return [...groups.values()]
    .sort((a, b) => b.us - a.us)
    .map(({ scope, operator, us, nodes: count, work: multiplyAdds }) => ({
      scope,
      operator,
      ms: us / 1000 / runs,
      share: us / total,
      nodes: count,
      ...(multiplyAdds > 0 ? { gflops: (2 * multiplyAdds * runs) / (1000 * us) } : {}),
    }))
}

/**
 * Milliseconds of a run in linear maps: everything in their scopes, since int8 maps are several nodes, which evening
 * out, rounding and scaling belong to.
 */
export function linearMsOf(nodes: readonly ProfiledNode[], graph: Graph, runs: number): number {
  const scopes = new Set(graph.nodes.flatMap(({ op, scope }) => (op === 'Linear' ? [scope] : [])))
  const own = nodes.filter((node) => scopes.has(scopeOf(node)) && node.operator !== 'Reshape')
  return own.reduce((sum, { microseconds }) => sum + microseconds, 0) / 1000 / runs
}
