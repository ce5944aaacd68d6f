import { InvalidArgumentError, Option } from 'commander'
import { isWholeNumber } from '../base/whole-number.js'
import type { MultiplyAdds } from '../tasks/analyze/shares.js'

/** A whole number from 1, or one of some words that stand for one. */
function countOr<Word extends string>(text: string, words: readonly Word[]): number | Word {
  const value = Number(text)
  if (/^\d+$/.test(text) && isWholeNumber(value)) return value
  const word = words.find((known) => known === text)
  if (word !== undefined) return word
  throw new InvalidArgumentError(`It must be ${['a whole number from 1', ...words].join(' or ')}.`)
}

/** A whole number from 1. */
export function positiveInteger(text: string): number {
  return countOr(text, [])
}

/** A whole number from 1, or a word that stands for one. */
export function positiveIntegerOr<Word extends string>(word: Word): (text: string) => number | Word {
  return (text) => countOr(text, [word])
}

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It must be a number above 0.')
}

/** A probability, 0 … 1. */
export function probability(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be a probability from 0 to 1.')
}

/** What random numbers start from. */
export function seed(text: string): number {
  if (/^\d+$/.test(text) && Number(text) < 2 ** 32) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 0 to 4,294,967,295.')
}

/** A share in (0, 1]. */
export function share(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (value > 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be a number above 0 and up to 1.')
}

/** One of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text)
    if (found !== undefined) return found
    throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`)
  }
}

/** Several values with commas between them. */
export function commaSeparated<T>(
  one: (text: string) => T,
  separator: string | RegExp = ',',
): (text: string) => T[] {
  return (text) => {
    const parts = text.split(separator).map((part) => part.trim())
    if (parts.some((part) => part === ''))
      throw new InvalidArgumentError('Between its commas something is missing.')
    return parts.map(one)
  }
}

/** `key=value` pairs of config.json; values are JSON, or text where they aren't. */
function setting(text: string, earlier: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const match = /^([a-z_0-9]+)=(.*)$/s.exec(text)
  const [, key, value] = match ?? []
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError('It must have the form key=value, e.g. semi_cross=false.')
  }
  try {
    return { ...earlier, [key]: JSON.parse(value) }
  } catch {
    return { ...earlier, [key]: value }
  }
}

/** `--set`. */
export function setOption(): Option {
  const about = 'change a key of the configuration, e.g. semi_cross=false; repeatable'
  return new Option('--set <key=value>', about).argParser(setting)
}

/** How multiply-adds are counted: see `graph/cost.ts`. */
export type Convention = keyof MultiplyAdds

/** Spelled out here so that help needs no graph. */
const conventions: readonly Convention[] = ['thop', 'linear', 'full']

/** `--convention`. The default gives the figures of the bLViT paper. */
export function conventionOption(description: string): Option {
  return new Option('-c, --convention <name>', description).choices(conventions).default('thop')
}
