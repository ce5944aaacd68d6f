import { BlvitError } from '../base/blvit-error.js'
import { namesIn } from '../base/label-text.js'
import { didYouMean } from '../base/suggest.js'
import { type Classes, classesOf } from './classes.js'

/** A label as a data set has it, and where: it begins the message of an error, e.g. `"labels.csv, line 3"`. */
export interface WrittenLabel {
  readonly text: string
  readonly where: string
}

/** How the labels of a data set are meant. */
type Rule = 'names' | 'numbers'

const isUnlabelled = (text: string) => text === '' || text === '-1'
const isNumber = (text: string) => /^[+-]?\d+$/.test(text)

/**
 * Finds the class that a label of the data means. A number can be a class's number, counted from 0, or its name, where a
 * model calls its classes "1" to "5": which of both is decided once, for all of the data.
 *
 * 1. Labels that are all names of the model's classes are names, also where they are numbers.
 * 2. Else labels that are numbers are class numbers; a label that is no number is an error then.
 * 3. Class numbers among names are refused: one of both is a mistake.
 */
export class LabelReader {
  private readonly classes: Classes
  private decided:
    | { readonly rule: Rule; readonly by: WrittenLabel; readonly numberAsName: boolean }
    | undefined

  constructor(labels: readonly string[]) {
    this.classes = classesOf(labels)
  }

  /** How many classes the model has. */
  get count(): number {
    return this.classes.labels.length
  }

  /** Is a class called by a number that isn't its own? Then all labels must be seen before the first is understood. */
  get needsAll(): boolean {
    return this.classes.labels.some((label, number) =>
      [label.trim(), ...namesIn(label)].some((name) => isNumber(name) && Number(name) !== number),
    )
  }

  /**
   * Decides how the labels are meant. Where it isn't called, the first label decides.
   * @throws BlvitError `BAD_DATA` for numbers among names
   */
  decide(written: Iterable<WrittenLabel>): void {
    let [number, name, both]: (WrittenLabel | undefined)[] = []
    for (const label of written) {
      const text = label.text.trim()
      if (isUnlabelled(text)) continue
      const isName = this.classes.called(text).length > 0
      if (!isNumber(text)) name ??= isName ? label : undefined
      else if (isName) both ??= label
      else number ??= label
    }
    if (number && name) throw mixed(number, name)
    const by = number ?? name ?? both
    if (by) this.decided = { rule: number ? 'numbers' : 'names', by, numberAsName: both !== undefined }
  }

  /** For people: how the labels were understood. Undefined while none was. */
  get rule(): string | undefined {
    if (!this.decided) return undefined
    const { rule, by, numberAsName } = this.decided
    if (rule === 'names') {
      return numberAsName
        ? "names of the model's classes, also where they are numbers"
        : "names of the model's classes"
    }
    const not = numberAsName ? `, not names: no class is called "${by.text}"` : ''
    return `class numbers from 0${not}`
  }

  /**
   * The class that a label means.
   * @returns undefined for an empty text and for -1: not labelled
   * @throws BlvitError `BAD_DATA`
   */
  classOf(label: WrittenLabel): number | undefined {
    const text = label.text.trim()
    if (isUnlabelled(text)) return undefined
    if (!this.decided) this.decide([label])
    return this.decided?.rule === 'numbers'
      ? this.numbered({ ...label, text })
      : this.named({ ...label, text })
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
    if (!isNumber(text)) throw this.unknown({ text, where })
    const number = Number(text)
    if (number >= 0 && number < this.count) return number
    throw new BlvitError(
      'BAD_DATA',
      `${where}: label ${text} is out of range: the model's classes are 0 to ${this.count - 1}.`,
      { label: text, classes: this.count },
    )
  }

  private unknown({ text, where }: WrittenLabel): BlvitError {
    const { by, rule } = this.decided ?? {}
    if (by && rule === 'names' && isNumber(text)) return mixed({ text, where }, by)
    if (by && rule === 'numbers' && this.classes.called(text).length > 0) return mixed(by, { text, where })
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
