import type { ConfigJson } from '../models/architecture.js'
import { badConfig } from '../models/bad-config.js'
import { readLabelNames } from '../models/label-names.js'
import { imagenetLabels } from './imagenet-labels.js'

/** A model's class names, and what had to be assumed for want of a word in its config.json. */
export interface Labels {
  /** In class order. */
  readonly labels: readonly string[]
  readonly assumptions: readonly string[]
}

function fallbackName(at: number): string {
  return `class ${at}`
}

/** True for classes that nobody has named. */
export function areNumbered(labels: readonly string[]): boolean {
  return labels.length > 0 && labels.every((label, at) => label === fallbackName(at))
}

/**
 * The names of classes that nothing names: ImageNet's if there are 1000, else `class 0`, `class 1`, …
 * @param reason why they have none, for people
 */
export function assumedLabels(classes: number, reason: string): Labels {
  if (classes === 0) return { labels: [], assumptions: [] }
  if (classes === 1000)
    return { labels: imagenetLabels, assumptions: [`${reason}: they are taken for those of ImageNet-1k`] }
  const labels = Array.from({ length: classes }, (_, at) => fallbackName(at))
  return { labels, assumptions: [`${reason}: they are numbered`] }
}

/**
 * The class names of a model, from config.json in any form that people have; else ImageNet's if there are 1000
 * classes, which is what timm's checkpoints without names mean; else `class 0`, `class 1`, …
 * @throws BlvitError `BAD_CONFIG` for names of classes that the model doesn't have
 */
export function readLabels(json: ConfigJson, classes: number): Labels {
  const told = readLabelNames(json)
  if (classes === 0) return { labels: [], assumptions: [] }
  if (!told) return assumedLabels(classes, 'config.json names no classes')
  const { key, names, count } = told
  if (count > classes) {
    throw badConfig(
      `${key} names class ${count - 1}, "${names.get(count - 1)}", but the model has ${classes} classes, 0 to ${classes - 1}`,
      { key, count, classes },
    )
  }
  const missing = classes - names.size
  const first = Array.from({ length: classes }, (_, at) => at).find((at) => !names.has(at)) ?? 0
  const assumption = `config.json's ${key} names ${names.size} of ${classes} classes: the others are numbered, e.g. "${fallbackName(first)}"`
  const labels = Array.from({ length: classes }, (_, at) => names.get(at) ?? fallbackName(at))
  return { labels, assumptions: missing > 0 ? [assumption] : [] }
}
