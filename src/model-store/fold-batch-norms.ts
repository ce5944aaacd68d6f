import { defined } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import type { BatchNorm } from '../models/batch-norm.js'
import type { NamedShape } from '../models/facts.js'
import { foldBatchNorm } from '../weights/fold-batch-norm.js'
import type { StoredTensor, StoredTensors } from '../weights/stored-tensor.js'
import { fill, matcher } from './name-maps/name-rules.js'

const words = ['weight', 'bias', 'running_mean', 'running_var'] as const

/** The norms that are there: their rule, their name and that of the map beside them. */
function foundNorms(names: Iterable<string>, rules: readonly BatchNorm[]) {
  const known = rules.map((rule) => ({ rule, bind: matcher(`${rule.norm}.running_var`) }))
  return [...names].flatMap((name) => {
    for (const { rule, bind } of known) {
      const bindings = bind(name)
      if (bindings) return [{ rule, norm: fill(rule.norm, bindings), map: fill(rule.map, bindings) }]
    }
    return []
  })
}

/**
 * The tensors of a checkpoint with every batch norm folded into the map beside it. A checkpoint without running
 * statistics, as blvit writes it, is folded already and stays what it is.
 * @throws BlvitError `BAD_WEIGHTS` for a norm that isn't whole, doesn't fit its map or gives no numbers
 */
export async function foldBatchNorms(
  stored: StoredTensors,
  rules: readonly BatchNorm[],
): Promise<StoredTensors> {
  const folded = new Map(stored)
  for (const { rule, norm, map } of foundNorms(stored.keys(), rules)) {
    const weight = stored.get(`${map}.weight`)
    // its absence is told with all that is missing
    if (!weight) continue
    const missing = words.filter((word) => !stored.has(`${norm}.${word}`))
    if (missing.length > 0) {
      const message = `The batch norm ${norm} is stored without ${missing.join(', ')}.`
      throw new BlvitError('BAD_WEIGHTS', message, { norm, missing })
    }
    const part = (word: (typeof words)[number]): StoredTensor => defined(stored.get(`${norm}.${word}`), word)
    const parts = {
      weight: part('weight'),
      bias: part('bias'),
      mean: part('running_mean'),
      variance: part('running_var'),
    }
    const { stands, epsilon } = rule
    const made = await foldBatchNorm({ weight, bias: stored.get(`${map}.bias`) }, parts, {
      stands,
      epsilon,
      name: norm,
    })
    folded.set(`${map}.weight`, made.weight).set(`${map}.bias`, made.bias)
    for (const word of words) folded.delete(`${norm}.${word}`)
  }
  return folded
}

/** How many numbers the norms had for training beside those that maps with norms folded in have: what papers count. */
export function foldedAway(parameters: readonly NamedShape[], rules: readonly BatchNorm[]): number {
  const known = rules.map((rule) => ({ rule, bind: matcher(`${rule.map}.weight`) }))
  const ofMap = ({ name, shape }: NamedShape) => {
    const { rule } = known.find(({ bind }) => bind(name)) ?? {}
    if (!rule) return 0
    // the shift is the bias of the map behind which it stood; before a map neither has a place
    return rule.stands === 'after' ? (shape[0] ?? 0) : 2 * (shape[1] ?? 0)
  }
  return parameters.reduce((sum, parameter) => sum + ofMap(parameter), 0)
}
