import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseJson, parseWith } from '../base/parse.js'
import { didYouMean } from '../base/suggest.js'
import { packageFile } from '../files/package-file.js'
import type { Classes } from './data-set.js'

/** The WordNet ids of the 1000 ImageNet-1k classes, in class order. */
function imagenetIds(): readonly string[] {
  const path = packageFile('assets/imagenet-1k-wnids.json', "The list of ImageNet's WordNet ids")
  return parseWith(z.array(z.string()).length(1000), parseJson(readFileSync(path, 'utf8'), path), path)
}

// Its first and its last class tell ImageNet-1k from any other thousand classes.
function areImagenet(labels: readonly string[]): boolean {
  return (
    labels.length === 1000 &&
    /^tench/i.test(labels[0] ?? '') &&
    /toilet (tissue|paper)/i.test(labels[999] ?? '')
  )
}

/** For data whose labels don't matter: none of them means anything, and none is wrong. */
export const noClasses: Classes = { count: 0, find: () => undefined }

/** Folder and file names can't hold every letter, so case and underscores don't count. */
function normalised(text: string): string {
  return text.toLowerCase().replaceAll('_', ' ').replace(/\s+/g, ' ').trim()
}

/**
 * How labels are written, in this order of precedence: the label's whole text as the model has it, the class number
 * from 0, a WordNet id (for ImageNet-1k models), and one of the names that a label lists between commas
 * (`hen` of `hen, biddy`). Case doesn't count, and `_` is a space.
 * @param labels the model's, in class order
 */
export function classesOf(labels: readonly string[]): Classes {
  const numbersOf = (names: readonly (readonly [string, number])[]) => {
    const numbers = new Map<string, number[]>()
    for (const [name, index] of names) {
      const known = numbers.get(normalised(name)) ?? []
      if (!known.includes(index)) numbers.set(normalised(name), [...known, index])
    }
    return numbers
  }
  const texts = numbersOf(labels.map((label, index) => [label, index] as const))
  const ids = numbersOf((areImagenet(labels) ? imagenetIds() : []).map((id, index) => [id, index] as const))
  const parts = numbersOf(
    labels.flatMap((label, index) => label.split(',').map((part) => [part, index] as const)),
  )

  const find = (text: string, where: string): number | undefined => {
    const wanted = normalised(text)
    if (wanted === '' || wanted === '-1') return undefined
    const isNumber = /^[+-]?\d+$/.test(wanted)
    const numbers =
      texts.get(wanted) ?? (isNumber ? [Number(wanted)] : (ids.get(wanted) ?? parts.get(wanted)))
    if (!numbers) throw unknownLabel(text, where, labels)
    if (numbers.length > 1) throw ambiguousLabel(text, where, numbers)
    const [index = -1] = numbers
    if (index < 0 || index >= labels.length) throw outOfRange(text, where, labels.length)
    return index
  }
  return { count: labels.length, find }
}

function unknownLabel(label: string, where: string, labels: readonly string[]): BlvitError {
  const shown = label.length > 60 ? `${label.slice(0, 60)}…` : label
  const names = labels.flatMap((text) => text.split(',').map((part) => part.trim()))
  return new BlvitError(
    'BAD_DATA',
    `${where}: the model has no class "${shown}".${didYouMean(shown, names)} ` +
      'A label is a class number, a label of the model or, for ImageNet models, a WordNet id.',
    { label },
  )
}

function ambiguousLabel(label: string, where: string, numbers: readonly number[]): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `${where}: "${label}" can mean the classes ${numbers.join(' and ')}. Write the class number.`,
    { label, numbers },
  )
}

function outOfRange(label: string, where: string, count: number): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `${where}: label ${label} is out of range: the model's classes are 0 to ${count - 1}.`,
    { label, classes: count },
  )
}
