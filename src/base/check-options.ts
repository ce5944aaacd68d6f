import { BlvitError } from './blvit-error.js'
import { didYouMean } from './suggest.js'

/**
 * Refuses what nobody would honour: callers without types mistype names, and an option that is passed over gives a silently
 * wrong result.
 * @param kind what the keys are, for the message: `setting`, `option of load`
 * @throws BlvitError `BAD_OPTION` naming the first that is unknown, with a suggestion
 */
export function checkOptions(kind: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const message = `There is no ${kind} "${unknown}".${didYouMean(unknown, known)} Known: ${known.join(', ')}.`
  throw new BlvitError('BAD_OPTION', message, { option: unknown, known })
}
