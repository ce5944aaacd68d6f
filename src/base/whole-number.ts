import { BlvitError } from './blvit-error.js'

/** True for a count: a whole number from 1. */
export function isWholeNumber(value: number, most: number = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most
}

/**
 * Checks counts among options; one that isn't given is right.
 * @param counts under the names that the caller knows
 * @param options `most`: the highest that is possible
 * @throws BlvitError `BAD_OPTION` naming the first that is no whole number from 1
 */
export function checkWholeNumbers(
  counts: Readonly<Record<string, number | undefined>>,
  { most }: { readonly most?: number } = {},
): void {
  for (const [name, value] of Object.entries(counts)) {
    if (value === undefined || isWholeNumber(value, most)) continue
    const range = most === undefined ? 'from 1' : `from 1 to ${most}`
    throw new BlvitError('BAD_OPTION', `${name} is ${value}; it must be a whole number ${range}.`, {
      [name]: value,
    })
  }
}
