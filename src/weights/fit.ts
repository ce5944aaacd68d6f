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
  /** Accept tensors that the model doesn't know: all, or those for which it returns true. Default: none. */
  readonly allowUnexpected?: boolean | ((name: string) => boolean)
  /** Accept that parameters aren't stored: all, or those for which it returns true. Default: none. */
  readonly allowMissing?: boolean | ((name: string) => boolean)
}

interface Misfit {
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
  { source, allowUnexpected = false, allowMissing = false }: FitOptions,
): StoredTensors {
  const needed = new Set(expected.map(({ name }) => name))
  const matched = new Map<string, StoredTensor>()
  const missing: string[] = []
  const misshapen: { name: string; stored: readonly number[]; needed: readonly number[] }[] = []
  for (const { name, shape } of expected) {
    const tensor = stored.get(name)
    if (tensor === undefined) {
      if (!allowed(allowMissing, name)) missing.push(name)
    } else if (tensor.shape.join() !== shape.join()) {
      misshapen.push({ name, stored: tensor.shape, needed: shape })
    } else {
      matched.set(name, tensor)
    }
  }
  const unexpected = [...stored.keys()].filter((name) => !needed.has(name) && !allowed(allowUnexpected, name))
  const misfit = { missing, unexpected, misshapen }
  if (missing.length + unexpected.length + misshapen.length > 0) throw misfitError(misfit, source)
  return matched
}

function allowed(rule: boolean | ((name: string) => boolean), name: string): boolean {
  return typeof rule === 'boolean' ? rule : rule(name)
}

function misfitError(misfit: Misfit, source: string): BlvitError {
  const { missing, unexpected, misshapen } = misfit
  const onlyShapes = missing.length + unexpected.length === 0
  const complaints = [
    ...(missing.length > 0 ? [`${missing.length} missing: ${groupNames(missing).join(', ')}`] : []),
    ...(unexpected.length > 0
      ? [`${unexpected.length} unexpected: ${groupNames(unexpected).join(', ')}`]
      : []),
    ...(misshapen.length > 0 ? [`${misshapen.length} of another shape: ${shapesOf(misshapen)}`] : []),
  ]
  const message = `${source} does not fit the model: ${complaints.join('; ')}.${advise(misfit)}`
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

// The first rule that applies gives the advice; each names the cause that we saw most often.
const advices: readonly { when: (misfit: Misfit) => boolean; text: string }[] = [
  {
    when: ({ misshapen, missing }) =>
      missing.length === 0 && misshapen.length > 0 && misshapen.every(({ name }) => name === 'pos_embed'),
    text: 'The weights are for another image or patch size: resample the position embedding, or use their size.',
  },
  {
    when: ({ misshapen, missing }) =>
      missing.length === 0 && misshapen.length > 0 && misshapen.every(({ name }) => name.startsWith('head')),
    text: 'The weights are for another number of classes: set it in the config, or leave out the head.',
  },
  {
    when: ({ misshapen }) => misshapen.length > 0,
    text: 'The weights are for a model of another size: choose the model that they were made for.',
  },
  {
    when: ({ missing }) =>
      missing.length > 0 && missing.every((name) => /\.little\.|^predictors\.|alpha|gamma/.test(name)),
    text: 'These are weights of a plain ViT: convert them to a big.LITTLE one first.',
  },
  {
    when: ({ unexpected }) =>
      unexpected.length > 0 && unexpected.every((name) => /\.little\.|^predictors\.|alpha|gamma/.test(name)),
    text: 'These are weights of a big.LITTLE model: load them with its config.json.',
  },
]

function advise(misfit: Misfit): string {
  const typo = closeNames(misfit)
  const advice = advices.find(({ when }) => when(misfit))
  return typo + (advice === undefined ? '' : ` ${advice.text}`)
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
