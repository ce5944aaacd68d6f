import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { comparedLabel, namesIn, numbersByName, withoutLeadingZeros } from '../base/label-text.js'
import { parseJson, parseWith } from '../base/parse.js'
import { packageFile } from '../files/package-file.js'

/** The classes of a model by name. */
export interface Classes {
  /** Of the model, in class order. */
  readonly labels: readonly string[]
  /**
   * The classes that are called so. In this order of precedence: the label's whole text as the model has it, then without
   * regard to case, underscores, Unicode form and leading zeros, a WordNet id (for ImageNet-1k models), and one of the
   * names that a label lists between commas (`hen` of `hen, biddy`).
   */
  called(text: string): readonly number[]
}

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

/** @param labels the model's, in class order */
export function classesOf(labels: readonly string[]): Classes {
  const each = (name: (label: string) => string) => numbersByName(labels.map((label) => [name(label)]))
  const compared = (text: string) => comparedLabel(text)
  const unpadded = (text: string) => withoutLeadingZeros(comparedLabel(text))
  const ids = areImagenet(labels) ? imagenetIds() : []
  const steps: readonly (readonly [(text: string) => string, ReadonlyMap<string, readonly number[]>])[] = [
    [(text) => text.normalize('NFC'), each((label) => label.normalize('NFC'))],
    [compared, each(compared)],
    [unpadded, each(unpadded)],
    [compared, numbersByName(ids.map((id) => [id]))],
    [compared, numbersByName(labels.map(namesIn))],
  ]
  const called = (text: string): readonly number[] => {
    for (const [key, index] of steps) {
      const numbers = index.get(key(text))
      if (numbers) return numbers
    }
    return []
  }
  return { labels, called }
}
