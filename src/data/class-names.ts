import { comparedLabel, withoutLeadingZeros } from '../base/label-text.js'
import { isUnlabelled } from './label-reader.js'

/** The classes that data brings itself. */
export interface OwnClasses {
  /** In class order. */
  readonly labels: readonly string[]
  /** For people: how several labels of a picture are written; undefined: each picture has one. */
  readonly several: string | undefined
}

// numbers by their value, names as people sort them, on every machine alike
const order = new Intl.Collator('en', { numeric: true })

/**
 * The classes that labels name, in class order: numbers by their value, names by the alphabet. Labels that differ only in
 * case, underscores, Unicode form and leading zeros name one class, which is called as most of them do.
 */
export function classNames(written: Iterable<string>): string[] {
  const spellings = new Map<string, Map<string, number>>()
  for (const text of written) {
    const label = text.trim().normalize('NFC')
    if (isUnlabelled(label)) continue
    const key = withoutLeadingZeros(comparedLabel(label))
    const counts = spellings.get(key) ?? new Map<string, number>()
    spellings.set(key, counts.set(label, (counts.get(label) ?? 0) + 1))
  }
  const names = [...spellings.values()].map((counts) => {
    const [[name] = ['']] = [...counts].sort(([a, m], [b, n]) => n - m || order.compare(a, b))
    return name
  })
  return names.sort((a, b) => order.compare(a, b) || (a < b ? -1 : 1))
}
