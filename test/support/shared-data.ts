import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const sharedData = fileURLToPath(new URL('../../../shared/data/', import.meta.url))

/** True where the workshop's `../shared` lies beside the checkout; users have only the repository. */
export const hasSharedData = existsSync(sharedData)

/** The reason that skipped tests carry in their names. */
export const withoutSharedData = hasSharedData ? '' : ' (skipped: ../shared/data is not here)'

/** A path inside `../shared/data`. */
export function shared(path: string): string {
  return `${sharedData}${path}`
}
