import { BlvitError } from './blvit-error.js'
import { didYouMean } from './suggest.js'

/** The names of options: the compiler complains where one is missing, or is none. */
export type OptionKeys<Options extends object> = Readonly<Record<keyof Options, true>>

/**
 * Refuses what nobody would honour: callers without types mistype names, and an option that is passed over gives a silently
 * wrong result.
 * @param kind what the keys are, for the message: `setting`, `option of load`
 * @throws BlvitError `BAD_OPTION` naming the first that is unknown, with a suggestion
 */
export function checkOptions(kind: string, given: object, keys: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(keys, key))
  if (unknown === undefined) return
  const known = Object.keys(keys)
  const message = `There is no ${kind} "${unknown}".${didYouMean(unknown, known)} Known: ${known.join(', ')}.`
  throw new BlvitError('BAD_OPTION', message, { option: unknown, known })
}
