import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'

/**
 * How the numbers of a classifier's head become scores: one class out of all (`softmax`), each label for itself
 * (`sigmoid`), or numbers that are the answer themselves (`none`, a regression).
 */
export const scoreFunctions = ['softmax', 'sigmoid', 'none'] as const
export type ScoreFunction = (typeof scoreFunctions)[number]

/** Hugging Face's word for it, `problem_type`. */
const problemTypes = {
  single_label_classification: 'softmax',
  multi_label_classification: 'sigmoid',
  regression: 'none',
} as const satisfies Record<string, ScoreFunction>

const schema = z.looseObject({
  problem_type: z.enum(Object.keys(problemTypes) as [keyof typeof problemTypes]).nullish(),
})

/**
 * Reads it off a config.json as the image-classification pipeline of transformers does: `problem_type`, but a single
 * label is always one that may be absent.
 * @throws BlvitError `BAD_CONFIG`
 */
export function readScoreFunction(json: ConfigJson, classes: number): ScoreFunction {
  const { problem_type: type } = parseWith(schema, json, 'config.json')
  const named = type && problemTypes[type]
  if (named === 'none') return 'none'
  return classes === 1 ? 'sigmoid' : (named ?? 'softmax')
}

/** The config.json key that {@link readScoreFunction} reads; none where it is as usual. */
export function writeScoreFunction(scores: ScoreFunction, classes: number): ConfigJson {
  const usual = classes === 1 ? 'sigmoid' : 'softmax'
  const [type] = Object.entries(problemTypes).find(([, named]) => named === scores) ?? []
  return scores === usual ? {} : { problem_type: type }
}
