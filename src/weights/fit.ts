import { BlvitError } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'
import { groupNames } from './name-groups.js'
import type { StoredTensor, StoredTensors } from './stored-tensor.js'

/** A parameter that a model needs. */
export interface ExpectedParameter {
  readonly name: string
  readonly shape: readonly number[]
}

export interface FitOptions {
  /** Where the stored tensors come from, for messages. */
  readonly source: string
  /** What to do about a misfit, by who knows what the names mean. */
  readonly advise?: ((misfit: Misfit) => string | undefined) | undefined
}

/** Names of all that is wrong. */
export interface Misfit {
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
  readonly misshapen: readonly { name: string; stored: readonly number[]; needed: readonly number[] }[]
}

/**
 * Matches stored tensors with a model's parameters, in the model's order.
 * @throws BlvitError `SHAPE_MISMATCH` if only shapes differ, else `BAD_WEIGHTS`: one error that reports every
 *   missing, unexpected and misshapen tensor, also as fields
 */
export function fitParameters(
  expected: readonly ExpectedParameter[],
  stored: StoredTensors,
  { source, advise }: FitOptions,
): StoredTensors {
  const needed = new Set(expected.map(({ name }) => name))
  const matched = new Map<string, StoredTensor>()
  const missing: string[] = []
  const misshapen: { name: string; stored: readonly number[]; needed: readonly number[] }[] = []
  for (const { name, shape } of expected) {
    const tensor = stored.get(name)
    if (tensor === undefined) {
      missing.push(name)
    } else if (tensor.shape.join() !== shape.join()) {
      misshapen.push({ name, stored: tensor.shape, needed: shape })
    } else {
      matched.set(name, tensor)
    }
  }
  const unexpected = [...stored.keys()].filter((name) => !needed.has(name))
  const misfit = { missing, unexpected, misshapen }
  if (missing.length + unexpected.length + misshapen.length > 0) throw misfitError(misfit, source, advise)
  return matched
}

function misfitError(misfit: Misfit, source: string, advise: FitOptions['advise']): BlvitError {
  const { missing, unexpected, misshapen } = misfit
  const onlyShapes = missing.length + unexpected.length === 0
  const complaints = [
    ...(missing.length > 0 ? [`${missing.length} missing: ${groupNames(missing).join(', ')}`] : []),
    ...(unexpected.length > 0
      ? [`${unexpected.length} unexpected: ${groupNames(unexpected).join(', ')}`]
      : []),
    ...(misshapen.length > 0 ? [`${misshapen.length} of another shape: ${shapesOf(misshapen)}`] : []),
  ]
  const told = advise?.(misfit)
  const advice = told === undefined ? '' : ` ${told}`
  const message = `${source} does not fit the model: ${complaints.join('; ')}.${closeNames(misfit)}${advice}`
  return new BlvitError(onlyShapes ? 'SHAPE_MISMATCH' : 'BAD_WEIGHTS', message, { source, ...misfit })
}

const shapesShown = 5

function shapesOf(misshapen: Misfit['misshapen']): string {
  const shown = misshapen
    .slice(0, shapesShown)
    .map(
      ({ name, stored, needed }) =>
        `${name} is [${stored.join(', ')}], the model needs [${needed.join(', ')}]`,
    )
  const rest = misshapen.length - shown.length
  return shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

const suggestionsShown = 3

/** Suggestions only where few names are wrong: a wholly different model has no typos. */
function closeNames({ missing, unexpected }: Misfit): string {
  if (missing.length === 0 || missing.length * unexpected.length > 10_000) return ''
  const suggestions = unexpected
    .map((name) => ({ name, suggestion: didYouMean(name, missing).trim() }))
    .filter(({ suggestion }) => suggestion !== '')
  return suggestions
    .slice(0, suggestionsShown)
    .map(({ name, suggestion }) => ` "${name}": ${suggestion}`)
    .join('')
}
