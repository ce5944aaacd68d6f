import { BlvitError } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'
import type { SavingOfFamily } from '../models/architecture.js'
import { families } from '../models/index.js'
import { type ReductionFacts, reductionFacts } from '../reduction/reduction-facts.js'

/** A family of models that saves work in its own way. */
export interface SavingFamily extends SavingOfFamily {
  readonly name: string
  readonly title: string
  /** Well-known configurations. */
  readonly presets: readonly string[]
}

/** Everything that saves work: what `--reduce` takes, and the families that are made for it. */
export interface MethodList {
  readonly reductions: readonly ReductionFacts[]
  readonly families: readonly SavingFamily[]
}

/** Every method that saves work, those of `--reduce` and families of models that need none. */
export function listMethods(): MethodList {
  return {
    reductions: reductionFacts(),
    families: families.flatMap(({ name, title, presets, saves }) =>
      saves ? [{ name, title, presets: Object.keys(presets), ...saves }] : [],
    ),
  }
}

/**
 * One of {@link listMethods} by its name.
 * @throws BlvitError `BAD_OPTION` if there is none
 */
export function findMethod(given: string): ReductionFacts | SavingFamily {
  const { reductions, families: saving } = listMethods()
  const all = [...reductions, ...saving]
  const found = all.find(({ name }) => name === given.trim().toLowerCase())
  if (found) return found
  const known = all.map(({ name }) => name)
  throw new BlvitError(
    'BAD_OPTION',
    `There is no method "${given}".${didYouMean(given, known)} Known: ${known.join(', ')}.`,
    { known },
  )
}
