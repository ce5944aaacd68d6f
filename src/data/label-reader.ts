import { BlvitError } from '../base/blvit-error.js'
import { namesIn } from '../base/label-text.js'
import { didYouMean } from '../base/suggest.js'
import { type Classes, classesOf } from './classes.js'

/** A label as a data set has it, and where: it begins the message of an error, e.g. `"labels.csv, line 3"`. */
export interface WrittenLabel {
  readonly text: string
  readonly where: string
}

/** Nothing, and what data sets write for "not labelled". */
export const isUnlabelled = (text: string) => text === '' || text === '-1'
const isNumber = (text: string) => /^[+-]?\d+$/.test(text)

/**
 * Finds the class that a label of the data means. A number can be a class's number, counted from 0, or its name. Where no
 * class of the model is called by another's number, each label has one meaning: a number is a class number, anything else a
 * name. Where the model calls its classes "1" to "5", what numbers are is decided once, for all of the data:
 *
 * 1. Labels that are all names of the model's classes are names, also where they are numbers.
 * 2. Else numbers are class numbers.
 * 3. But class numbers beside names that are no numbers are refused: nobody could tell what the others mean.
 */
export class LabelReader {
  private readonly classes: Classes
  /** An example of each way to write a label that came. */
  private readonly seen: { name?: WrittenLabel; number?: WrittenLabel; numberAsName?: WrittenLabel } = {}
  /** Is a class called by a number that isn't its own? Then all labels must be seen before the first is understood. */
  readonly needsAll: boolean

  /** Whether a picture may have several labels, or none. */
  readonly several: boolean

  /** @param labels the model's, in class order */
  constructor(labels: readonly string[], { several = false }: { several?: boolean } = {}) {
    this.several = several
    this.classes = classesOf(labels)
    this.needsAll = labels.some((label, number) =>
      [label.trim(), ...namesIn(label)].some((name) => isNumber(name) && Number(name) !== number),
    )
  }

  /** How many classes the model has. */
  get count(): number {
    return this.classes.labels.length
  }

  /**
   * Decides what numbers are, where that depends on all labels.
   * @throws BlvitError `BAD_DATA` for numbers among names
   */
  decide(written: Iterable<WrittenLabel>): void {
    for (const label of written) this.see({ ...label, text: label.text.trim() })
    const { name, number } = this.seen
    if (this.needsAll && name && number) throw mixed(number, name)
  }

  private see(label: WrittenLabel): void {
    if (isUnlabelled(label.text)) return
    const isName = this.classes.called(label.text).length > 0
    if (!isNumber(label.text)) {
      if (isName) this.seen.name ??= label
    } else if (this.needsAll && isName) this.seen.numberAsName ??= label
    else this.seen.number ??= label
  }

  /** For people: how the labels were understood. Undefined while none was. */
  get rule(): string | undefined {
    const { name, number, numberAsName } = this.seen
    const names = "names of the model's classes"
    if (number) {
      const others = name ? `, and ${names}` : ''
      const notNames = numberAsName ? `, not names: no class is called "${number.text}"` : ''
      return `class numbers from 0${others}${notNames}`
    }
    if (numberAsName) return `${names}, also where they are numbers`
    return name ? names : undefined
  }

  /**
   * The class that a label means.
   * @returns undefined for an empty text and for -1: not labelled
   * @throws BlvitError `BAD_DATA`
   */
  classOf({ text: written, where }: WrittenLabel): number | undefined {
    const label = { text: written.trim(), where }
    if (isUnlabelled(label.text)) return undefined
    if (!this.needsAll) this.see(label)
    if (!isNumber(label.text)) return this.named(label)
    return this.needsAll && !this.seen.number ? this.named(label) : this.numbered(label)
  }

  /** The class of a name, whatever the data's labels are. @throws BlvitError `BAD_DATA` */
  named({ text, where }: WrittenLabel): number {
    const numbers = this.classes.called(text)
    const [number] = numbers
    if (number === undefined) throw this.unknown({ text, where })
    if (numbers.length > 1) throw ambiguous({ text, where }, numbers)
    return number
  }

  private numbered({ text, where }: WrittenLabel): number {
    const number = Number(text)
    if (number >= 0 && number < this.count) return number
    throw new BlvitError(
      'BAD_DATA',
      `${where}: label ${text} is out of range: the model's classes are 0 to ${this.count - 1}.`,
      { label: text, classes: this.count },
    )
  }

  private unknown({ text, where }: WrittenLabel): BlvitError {
    const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
    const names = this.classes.labels.flatMap((label) => label.split(',').map((part) => part.trim()))
    return new BlvitError(
      'BAD_DATA',
      `${where}: the model has no class "${shown}".${didYouMean(shown, names)} ` +
        'A label is a class number, a label of the model or, for ImageNet models, a WordNet id.',
      { label: text },
    )
  }
}

function mixed(number: WrittenLabel, name: WrittenLabel): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `The labels are neither all names nor all class numbers: "${name.text}" (${name.where}) is a name, "${number.text}" ` +
      `(${number.where}) is none of the model's. Write all of them as names, or all as class numbers from 0.`,
    { number: number.text, name: name.text },
  )
}

function ambiguous({ text, where }: WrittenLabel, numbers: readonly number[]): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `${where}: "${text}" is the name of the classes ${numbers.join(' and ')}. Write all labels as class numbers, or ` +
      'for ImageNet models as WordNet ids.',
    { label: text, numbers },
  )
}
