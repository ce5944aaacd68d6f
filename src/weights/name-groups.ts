/**
 * Parameter names summed up for people: `blocks.{1…11}.little.norm1.{weight,bias} (22)`.
 * Names that differ only in a number or in their last word share a line; if there are still too many lines,
 * deeper words become `*`.
 * @param most lines to aim at; what is still over it is counted in a last line. Default: 6
 */
export function groupNames(
  names: readonly string[],
  { most = 6 }: { most?: number } = {},
): readonly string[] {
  // Not Math.max(...names): a hostile file may hold more names than a call takes arguments.
  const deepest = names.reduce((depth, name) => Math.max(depth, name.split('.').length), 0)
  let groups = groupsAt(names, deepest)
  for (let depth = deepest - 1; groups.length > most && depth >= 1; depth--) groups = groupsAt(names, depth)
  if (groups.length <= most) return groups
  return [...groups.slice(0, most), `and ${groups.length - most} more`]
}

interface Group {
  readonly first: string
  readonly numbers: Set<number>
  readonly endings: Set<string>
  count: number
}

function groupsAt(names: readonly string[], depth: number): readonly string[] {
  const groups = new Map<string, Group>()
  for (const name of names) {
    const words = name.split('.')
    const kept = words.length > depth ? [...words.slice(0, depth), '*'] : words
    const numberAt = kept.findIndex((word) => /^\d+$/.test(word))
    const ending = kept.length > 1 && numberAt !== kept.length - 1 ? (kept.at(-1) ?? '') : undefined
    const stem = ending === undefined ? kept : kept.slice(0, -1)
    const key = stem.map((word, i) => (i === numberAt ? '#' : word)).join('.')
    const group = groups.get(key) ?? { first: name, numbers: new Set(), endings: new Set(), count: 0 }
    if (numberAt >= 0) group.numbers.add(Number(kept[numberAt]))
    if (ending !== undefined) group.endings.add(ending)
    group.count += 1
    groups.set(key, group)
  }
  return [...groups].map(([key, group]) => lineOf(key, group))
}

function lineOf(key: string, { first, numbers, endings, count }: Group): string {
  if (count === 1) return first
  const stem = key.replace('#', rangeOf([...numbers].sort((a, b) => a - b)))
  const words = endings.has('*') ? ['*'] : [...endings]
  const ending = words.length === 0 ? '' : `.${words.length === 1 ? words[0] : `{${words.join(',')}}`}`
  return `${stem}${ending} (${count})`
}

const numbersShown = 12

function rangeOf(numbers: readonly number[]): string {
  const [first = 0] = numbers
  const last = numbers.at(-1) ?? 0
  if (numbers.length === 1) return `${first}`
  const unbroken = last - first + 1 === numbers.length
  if (unbroken) return `{${first}…${last}}`
  const shown = numbers.slice(0, numbersShown).join(',')
  return numbers.length > numbersShown ? `{${shown},…,${last}}` : `{${shown}}`
}
