import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import { concatRows } from '../rows.js'
import type { StoredTensor, StoredTensors } from '../stored-tensor.js'
import { fill, matcher, type NameMap, partsOf } from './name-rules.js'

/** Where a stored tensor belongs: the timm tensor, and the names of all the parts that make it, in order. */
interface Place {
  readonly canonical: string
  readonly parts: readonly string[]
}

/** A timm tensor's parts as far as they have come. */
interface Gathered extends Place {
  readonly found: Map<string, StoredTensor>
}

/**
 * Renames a dialect's names to timm's, stacking query, key and value by reference; names that no rule knows
 * stay as they are.
 * @throws BlvitError `BAD_WEIGHTS` if parts of a packed tensor are missing, don't fit, or two take one name
 */
export function toTimm(
  stored: StoredTensors,
  { map }: { map: NameMap },
): { tensors: StoredTensors; ignored: readonly string[] } {
  const placeOf = placer(map)
  const gathered = new Map<string, Gathered>()
  const ignored: string[] = []
  for (const [name, tensor] of stored) {
    const inner = name.startsWith(map.prefix) ? name.slice(map.prefix.length) : name
    if (map.ignored.test(inner)) {
      ignored.push(name)
      continue
    }
    const place = placeOf(inner) ?? { canonical: name, parts: [inner] }
    const entry = gathered.get(place.canonical) ?? { ...place, found: new Map() }
    // A second name for the same part, or the other form of a tensor that also comes in parts.
    if (entry.found.has(inner) || !entry.parts.includes(inner)) throw taken(place.canonical, name)
    entry.found.set(inner, tensor)
    gathered.set(place.canonical, entry)
  }
  const tensors = new Map([...gathered].map(([name, entry]) => [name, joinParts(entry)]))
  return { tensors, ignored }
}

function placer({ rules }: NameMap): (name: string) => Place | undefined {
  const known = rules.flatMap((rule) => partsOf(rule).map((part) => ({ rule, bind: matcher(part) })))
  return (name) => {
    for (const { rule, bind } of known) {
      const bindings = bind(name)
      if (bindings === undefined) continue
      return {
        canonical: fill(rule.timm, bindings),
        parts: partsOf(rule).map((part) => fill(part, bindings)),
      }
    }
    return undefined
  }
}

function joinParts({ canonical, parts, found }: Gathered): StoredTensor {
  const missing = parts.filter((part) => !found.has(part))
  if (missing.length > 0) {
    const has = [...found.keys()].join(', ')
    throw new BlvitError(
      'BAD_WEIGHTS',
      `${canonical} is made of ${parts.length} tensors, but only ${has} is stored; missing: ${missing.join(', ')}.`,
      { name: canonical, missing },
    )
  }
  const tensors = parts.map((part) => defined(found.get(part), part))
  const [only] = tensors
  return only !== undefined && tensors.length === 1 ? only : concatRows(tensors, { name: canonical })
}

function taken(canonical: string, name: string): BlvitError {
  return new BlvitError('BAD_WEIGHTS', `Two stored tensors would be ${canonical}; the second is "${name}".`, {
    canonical,
    name,
  })
}
