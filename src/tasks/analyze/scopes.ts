import { type ScopeShare, sumOf, type Tally } from './shares.js'

/** A scope with everything inside it, like a folder in a listing of disk use. */
export interface ScopeTree extends Tally {
  /** The last part of the path, e.g. `attn`; empty at the top. */
  readonly name: string
  /** E.g. `blocks.3.attn`; empty at the top. */
  readonly path: string
  /** What belongs to this scope itself and to none inside it, e.g. `cls_token` at the top. */
  readonly own: Tally
  /** In the order in which the model computes; those that neither hold nor do anything are left out. */
  readonly scopes: readonly ScopeTree[]
}

/** The tree of scopes. Its root sums to the model. */
export function scopeTree(shares: readonly ScopeShare[], path = ''): ScopeTree {
  const start = path === '' ? 0 : path.length + 1
  const inside = new Map<string, ScopeShare[]>()
  const own: ScopeShare[] = []
  for (const share of shares) {
    if (share.scope === path) {
      own.push(share)
      continue
    }
    const name = share.scope.slice(start).split('.', 1)[0] ?? ''
    inside.set(name, [...(inside.get(name) ?? []), share])
  }
  return {
    name: path.slice(path.lastIndexOf('.') + 1),
    path,
    ...sumOf(shares),
    own: sumOf(own),
    scopes: [...inside]
      .map(([name, members]) => scopeTree(members, path === '' ? name : `${path}.${name}`))
      .filter(({ parameters, multiplyAdds }) => parameters + multiplyAdds.thop + multiplyAdds.full > 0),
  }
}
