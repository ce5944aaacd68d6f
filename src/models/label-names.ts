import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import { badConfig } from './bad-config.js'

const name = z.union([z.string(), z.number().transform(String)], 'expected a name')
const index = z.union([z.int().min(0), z.string()])
const namesByIndex = z.union(
  [z.array(name), z.record(z.string(), name)],
  'expected names by number, or a list of names',
)
const namesInOrder = namesByIndex.nullish()
/** timm's longer words for its names: by name, or in class order. */
const descriptions = z.union([z.record(z.string(), name), z.array(name)]).nullish()

const schema = z.looseObject({
  id2label: namesByIndex.nullish(),
  label2id: z.record(z.string(), index).nullish(),
  label_names: namesInOrder,
  label_descriptions: descriptions,
  pretrained_cfg: z.looseObject({ label_names: namesInOrder, label_descriptions: descriptions }).nullish(),
})

/** The classes that a config.json names. */
export interface LabelNames {
  /** The key that they come from. */
  readonly key: string
  /** By class number. */
  readonly names: ReadonlyMap<number, string>
  /** The highest class number + 1. */
  readonly count: number
}

/** `3`, `"3"`, `"003"` and `"LABEL_3"` are class 3. */
function classNumber(key: string | number, where: string): number {
  const [, digits] = /^(?:LABEL_|class[ _]?)?(\d{1,6})$/i.exec(`${key}`.trim()) ?? []
  if (digits === undefined) throw badConfig(`${where} has "${key}", which is no class number`)
  return Number(digits)
}

type Pair = readonly [key: string | number, label: string]

function collected(key: string, pairs: readonly Pair[]): LabelNames | undefined {
  const names = new Map<number, string>()
  for (const [number, label] of pairs) {
    const at = classNumber(number, key)
    const other = names.get(at)
    if (other !== undefined) throw badConfig(`${key} names class ${at} twice, "${other}" and "${label}"`)
    names.set(at, label)
  }
  const count = [...names.keys()].reduce((highest, at) => Math.max(highest, at + 1), 0)
  return count === 0 ? undefined : { key, names, count }
}

function pairsOf(given: readonly string[] | Readonly<Record<string, string>>): Pair[] {
  return Array.isArray(given) ? given.map((label, at) => [at, label] as const) : Object.entries(given)
}

/** timm's names, by their descriptions where those are given. */
function timmNames(
  where: string,
  { label_names: names, label_descriptions: words }: z.infer<typeof schema>,
): LabelNames | undefined {
  const told = names ?? (Array.isArray(words) ? words : undefined)
  if (!told) return undefined
  const describe = (label: string, at: number) =>
    Array.isArray(words) ? (words[at] ?? label) : words && Object.hasOwn(words, label) ? words[label] : label
  const pairs = pairsOf(told).map(([at, label], place) => [at, describe(label, place) ?? label] as const)
  return collected(`${where}${names ? 'label_names' : 'label_descriptions'}`, pairs)
}

/**
 * The class names of a config.json in any of the forms that people have: Hugging Face's `id2label` (numbers, padded
 * numbers, `LABEL_0`, a list), `label2id` alone, timm's `label_names` and `label_descriptions`, also inside
 * `pretrained_cfg`. Undefined if it names none.
 * @throws BlvitError `BAD_CONFIG` for two names of a class and for keys that are no class numbers
 */
export function readLabelNames(json: ConfigJson): LabelNames | undefined {
  const config = parseWith(schema, json, 'config.json')
  const { id2label, label2id, pretrained_cfg: pretrained } = config
  const byNumber = id2label && collected('id2label', pairsOf(id2label))
  const byName =
    label2id &&
    collected(
      'label2id',
      Object.entries(label2id).map(([label, at]) => [at, label] as const),
    )
  return (
    byNumber ??
    timmNames('', config) ??
    byName ??
    (pretrained ? timmNames('pretrained_cfg.', pretrained as z.infer<typeof schema>) : undefined) ??
    undefined
  )
}
