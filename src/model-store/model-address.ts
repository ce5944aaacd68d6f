import { BlvitError } from '../base/blvit-error.js'

/**
 * The address of a model's folder, ending in `/`.
 * @param reference relative to the page or not
 * @throws BlvitError `BAD_OPTION`
 */
export function modelAddress(reference: string | URL): URL {
  const base = globalThis.location?.href
  const text = String(reference)
  if (!URL.canParse(text, base)) {
    throw new BlvitError('BAD_OPTION', `${text} is not an address. Give the address of a model's folder.`)
  }
  const address = new URL(text, base)
  if (!address.pathname.endsWith('/')) address.pathname += '/'
  return address
}
