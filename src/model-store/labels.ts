import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from '../models/architecture.js'
import { imagenetLabels } from './imagenet-labels.js'

const schema = z.looseObject({
  id2label: z.record(z.string(), z.string()).optional(),
  /** timm's form, names in class order. */
  label_names: z.array(z.string()).optional(),
})

/**
 * The class names of a model, in class order: from config.json; else ImageNet's if there are 1000 classes,
 * which is what timm's checkpoints without names mean; else `class 0`, `class 1`, …
 */
export function readLabels(json: ConfigJson, classes: number): readonly string[] {
  const { id2label, label_names: names } = parseWith(schema, json, 'config.json')
  const fallback = !id2label && !names && classes === 1000 ? imagenetLabels : []
  return Array.from(
    { length: classes },
    (_, index) => id2label?.[`${index}`] ?? names?.[index] ?? fallback[index] ?? `class ${index}`,
  )
}
