import { defined } from '../base/assert.js'
import { realTokens, type WindowPlan } from '../nn/windows.js'

/** What a share of a window is taken of: the tokens that it has, or its places, which makes as many in every window. */
export const quotas = ['proportional', 'equal'] as const
export type Quota = (typeof quotas)[number]

/** Of a model whose tokens look around in windows: how its grid is cut, and what a share of a window is taken of. */
export interface TokenWindows {
  readonly plan: WindowPlan
  readonly quota: Quota
}

/** Windows of one shape, which have equally many tokens. */
export interface WindowKind {
  /** Numbers of the windows. */
  readonly windows: readonly number[]
  /** The tokens of each, by their numbers in the grid. */
  readonly tokens: readonly (readonly number[])[]
}

/** The windows of a grid, those of one shape together. */
export function windowKinds(plan: WindowPlan): readonly WindowKind[] {
  const byShape = new Map<string, { windows: number[]; tokens: (readonly number[])[] }>()
  for (const [window, { rows, columns, tokens }] of realTokens(plan).entries()) {
    const shape = `${rows}×${columns}`
    const kind = byShape.get(shape) ?? { windows: [], tokens: [] }
    kind.windows.push(window)
    kind.tokens.push(tokens)
    byShape.set(shape, kind)
  }
  return [...byShape.values()]
}

/** How many tokens each window of a kind has. */
export function tokensOf({ tokens }: WindowKind): number {
  return defined(tokens[0], 'a window').length
}

/** What a share of a window of a kind is taken of. */
export function wholeOf(kind: WindowKind, { plan, quota }: TokenWindows): number {
  return quota === 'equal' ? plan.side ** 2 : tokensOf(kind)
}
