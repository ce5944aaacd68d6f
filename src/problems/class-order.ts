import { BlvitError } from '../base/blvit-error.js'
import { comparedLabel, namesIn, numbersByName } from '../base/label-text.js'

/** A model by what its classes are called. */
export interface NamedClasses {
  /** For messages. */
  readonly name: string
  /** In class order. */
  readonly labels: readonly string[]
}

/** How the classes of a model are found among another's. */
export interface ClassOrder {
  /** For each class its number in the other model; undefined: both have them in the same order. */
  readonly numbers: readonly number[] | undefined
  /** What they were compared by: the number alone, where one of both has no names for them. */
  readonly by: 'label' | 'number'
}

/** Labels that only count: `class 0`, `LABEL_1`, `2`. */
function areUnnamed(labels: readonly string[]): boolean {
  const [, prefix] = /^(.*?)\d+$/.exec(labels[0] ?? '') ?? []
  return labels.every((label, number) => {
    const text = label.slice(prefix?.length ?? 0)
    return label.startsWith(prefix ?? '') && /^\d+$/.test(text) && Number(text) === number
  })
}

/** Then even labels that count say which class is which: nobody puts `L2` before `L1` who only counts. */
function haveSameNames(labels: readonly string[], others: readonly string[]): boolean {
  const names = new Set(labels.map(comparedLabel))
  return names.size === new Set([...names, ...others.map(comparedLabel)]).size
}

/** `hen, biddy` is `hen` of another model. */
function allNames(label: string): readonly string[] {
  return [comparedLabel(label), ...namesIn(label)]
}

function share(a: string, b: string): boolean {
  const names = allNames(b)
  return allNames(a).some((name) => names.includes(name))
}

/**
 * Finds the classes of a model among another's by their labels. They need not be written alike: case doesn't count, and
 * `hen` is `hen, biddy`.
 * @throws BlvitError `BAD_OPTION` where the models have other classes, or two of one name in another order
 */
export function classOrder(model: NamedClasses, other: NamedClasses): ClassOrder {
  const { labels } = model
  if (labels.length !== other.labels.length) {
    const count = other.labels.length
    throw differ(
      model,
      other,
      `it has ${count} ${count === 1 ? 'class' : 'classes'} instead of ${labels.length}`,
    )
  }
  if (!haveSameNames(labels, other.labels) && (areUnnamed(labels) || areUnnamed(other.labels))) {
    return { numbers: undefined, by: areUnnamed(labels) && areUnnamed(other.labels) ? 'label' : 'number' }
  }
  if (labels.every((label, number) => share(label, other.labels[number] ?? ''))) {
    return { numbers: undefined, by: 'label' }
  }
  const whole = numbersByName(other.labels.map((label) => [comparedLabel(label)]))
  const parts = numbersByName(other.labels.map(allNames))
  const taken = new Set<number>()
  const numbers = labels.map((label) => {
    const found = whole.get(comparedLabel(label)) ?? [
      ...new Set(namesIn(label).flatMap((name) => parts.get(name) ?? [])),
    ]
    const [number] = found
    if (number === undefined) throw differ(model, other, `it has no class "${label}"`)
    if (found.length > 1 || taken.has(number)) {
      throw differ(model, other, `its classes stand in another order, and several may be "${label}"`)
    }
    taken.add(number)
    return number
  })
  return { numbers, by: 'label' }
}

function differ(model: NamedClasses, other: NamedClasses, how: string): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    `${other.name} has other classes than ${model.name}: ${how}. Their answers can't be compared.`,
    { classes: [model.labels.length, other.labels.length] },
  )
}

/** Logits of the other model in the order of this one's classes. @param row `[classes]` */
export function inOrder(row: Float32Array, { numbers }: ClassOrder): Float32Array {
  return numbers === undefined ? row : Float32Array.from(numbers, (number) => row[number] ?? Number.NaN)
}
