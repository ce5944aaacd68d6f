import { fill, matcher, partsOf } from '../../src/model-store/name-maps/name-rules.js'
import type { NameMap } from '../../src/models/name-map.js'

/** Where an official parameter's numbers stand: in which of ours, from which number on. */
export interface OfficialPlace {
  readonly parameter: string
  readonly from: number
}

/**
 * Finds what official code calls otherwise, or keeps in several tensors where timm has one.
 * @param sizeOf numbers in an official parameter
 */
export function placeOfOfficial(
  official: string,
  { rules }: Pick<NameMap, 'rules'>,
  sizeOf: (official: string) => number,
): OfficialPlace {
  for (const rule of rules) {
    const parts = partsOf(rule)
    for (const [index, part] of parts.entries()) {
      const bindings = matcher(part)(official)
      if (!bindings) continue
      const before = parts.slice(0, index).map((other) => sizeOf(fill(other, bindings)))
      return { parameter: fill(rule.ours, bindings), from: before.reduce((sum, size) => sum + size, 0) }
    }
  }
  return { parameter: official, from: 0 }
}
