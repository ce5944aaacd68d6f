import { BlvitError } from '../base/blvit-error.js'
import type { Architecture } from '../models/architecture.js'

/**
 * k = ⌊r·M⌋, the number of patches that the big blocks process (spec §1).
 * @param keepRatio r; default: the architecture's own
 * @returns undefined for an architecture that treats all tokens alike
 * @throws BlvitError `BAD_OPTION` if r is not in (0, 1], leaves no patch, or the architecture can't take one
 */
export function keptPatches(architecture: Architecture, keepRatio?: number): number | undefined {
  if (architecture.keepRatio === undefined) {
    if (keepRatio === undefined || keepRatio === 1) return undefined
    throw new BlvitError(
      'BAD_OPTION',
      `A ${architecture.family} processes every token: keep ratio ${keepRatio} is not for it. ` +
        'Convert it to a bLViT first: blvit convert.',
    )
  }
  const ratio = keepRatio ?? architecture.keepRatio
  const patches = architecture.grid.rows * architecture.grid.columns
  const kept = Math.floor(ratio * patches)
  if (!(ratio > 0 && ratio <= 1)) {
    throw new BlvitError('BAD_OPTION', `Keep ratio ${ratio} is not a number above 0 and up to 1.`)
  }
  if (kept === 0) {
    // rounded up, so that ⌊r·M⌋ of the printed number is 1
    const smallest = Math.ceil(1e6 / patches) / 1e6
    throw new BlvitError(
      'BAD_OPTION',
      `Keep ratio ${ratio} keeps none of ${patches} patches. The smallest that keeps one is ${smallest}.`,
    )
  }
  return kept
}
