import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import type { NameMap } from '../../models/name-map.js'
import { concatRows } from '../../weights/rows.js'
import type { StoredTensor, StoredTensors } from '../../weights/stored-tensor.js'
import { fill, matcher, partsOf } from './name-rules.js'

/** Where a stored tensor belongs: the parameter, and the names of all the parts that make it, in order. */
interface Place {
  readonly canonical: string
  readonly parts: readonly string[]
  readonly rank?: number | undefined
  readonly kernelAxes?: true | undefined
}

/** A parameter's parts as far as they have come. */
interface Gathered extends Place {
  readonly found: Map<string, StoredTensor>
}

/**
 * Renames a dialect's names to ours, stacking query, key and value by reference; names that no rule knows
 * stay as they are.
 * @throws BlvitError `BAD_WEIGHTS` if parts of a packed tensor are missing, don't fit, or two take one name
 */
export function rename(
  stored: StoredTensors,
  { map }: { map: NameMap },
): { tensors: StoredTensors; ignored: readonly string[] } {
  const placeOf = placer(map)
  const gathered = new Map<string, Gathered>()
  const ignored: string[] = []
  for (const [name, tensor] of stored) {
    const prefix = map.prefixes.find((known) => name.startsWith(known)) ?? ''
    const inner = name.slice(prefix.length)
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
        canonical: fill(rule.ours, bindings),
        rank: rule.rank,
        kernelAxes: rule.kernelAxes,
        parts: partsOf(rule).map((part) => fill(part, bindings)),
      }
    }
    return undefined
  }
}

/** The tensor with leading axes of size 1, up to this many axes. */
function withRank(tensor: StoredTensor, rank: number | undefined): StoredTensor {
  const absent = Math.max(0, (rank ?? 0) - tensor.shape.length)
  return absent === 0 ? tensor : { ...tensor, shape: [...Array<number>(absent).fill(1), ...tensor.shape] }
}

/** A matrix as the weight of a convolution of one pixel. */
function withKernelAxes(tensor: StoredTensor): StoredTensor {
  return tensor.shape.length === 2 ? { ...tensor, shape: [...tensor.shape, 1, 1] } : tensor
}

function joinParts({ canonical, parts, rank, kernelAxes, found }: Gathered): StoredTensor {
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
  if (only === undefined || tensors.length > 1) return concatRows(tensors, { name: canonical })
  return kernelAxes ? withKernelAxes(only) : withRank(only, rank)
}

function taken(canonical: string, name: string): BlvitError {
  return new BlvitError('BAD_WEIGHTS', `Two stored tensors would be ${canonical}; the second is "${name}".`, {
    canonical,
    name,
  })
}
