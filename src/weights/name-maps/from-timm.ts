import { BlvitError } from '../../base/blvit-error.js'
import { didYouMean } from '../../base/suggest.js'
import { sliceRows } from '../rows.js'
import type { StoredTensor, StoredTensors } from '../stored-tensor.js'
import { nameMaps } from './index.js'
import { fill, matcher, type NameMap, partsOf } from './name-rules.js'

/**
 * Renames from timm's names to a dialect's, splitting packed tensors into row ranges; names that no rule knows
 * stay as they are.
 * @param dialect `timm`, `huggingface-vit` or `huggingface-deit`
 * @throws BlvitError `BAD_OPTION` for an unknown dialect, `BAD_WEIGHTS` for a qkv whose rows can't be split
 */
export function fromTimm(tensors: StoredTensors, { dialect }: { dialect: string }): StoredTensors {
  const map = mapOf(dialect)
  const namesOf = namer(map)
  const renamed = new Map<string, StoredTensor>()
  for (const [name, tensor] of tensors) {
    const theirs = namesOf(name) ?? [name]
    splitRows(tensor, { name, count: theirs.length }).forEach((part, i) => {
      renamed.set(theirs[i] ?? name, part)
    })
  }
  return renamed
}

/** Where two rules give one timm name, the first speaks. */
function namer({ rules, prefix, bare }: NameMap): (name: string) => readonly string[] | undefined {
  const known = rules.map((rule) => ({ rule, bind: matcher(rule.timm) }))
  const prefixed = (name: string) => (bare.includes(name.split('.')[0] ?? '') ? name : prefix + name)
  return (name) => {
    for (const { rule, bind } of known) {
      const bindings = bind(name)
      if (bindings !== undefined) return partsOf(rule).map((part) => prefixed(fill(part, bindings)))
    }
    return undefined
  }
}

function splitRows(
  tensor: StoredTensor,
  { name, count }: { name: string; count: number },
): readonly StoredTensor[] {
  if (count === 1) return [tensor]
  const rows = tensor.shape[0] ?? 0
  if (rows % count !== 0) {
    throw new BlvitError(
      'BAD_WEIGHTS',
      `${name} has ${rows} rows, which don't split into ${count} equal parts.`,
      { name, shape: tensor.shape },
    )
  }
  const each = rows / count
  return Array.from({ length: count }, (_, i) => sliceRows(tensor, { start: i * each, count: each }))
}

function mapOf(dialect: string): NameMap {
  const map = nameMaps.find((candidate) => candidate.dialect === dialect)
  if (map !== undefined) return map
  const known = nameMaps.map((candidate) => candidate.dialect)
  throw new BlvitError(
    'BAD_OPTION',
    `"${dialect}" is not a dialect of parameter names: use ${known.join(', ')}.${didYouMean(dialect, known)}`,
    { dialect, known },
  )
}
