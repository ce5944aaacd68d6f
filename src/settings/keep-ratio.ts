import { BlvitError } from '../base/blvit-error.js'
import type { Architecture } from '../models/architecture.js'
import type { Setting } from './setting.js'

/** @throws BlvitError `BAD_OPTION` for a ratio at which k = ⌊r·M⌋ is 0 */
function checkKeepsSome(ratio: number, { grid }: Architecture): void {
  const patches = grid.rows * grid.columns
  if (Math.floor(ratio * patches) > 0) return
  // rounded up, so that ⌊r·M⌋ of the printed number is 1
  const smallest = Math.ceil(1e6 / patches) / 1e6
  throw new BlvitError(
    'BAD_OPTION',
    `Keep ratio ${ratio} keeps none of ${patches} patches. The smallest that keeps one is ${smallest}.`,
  )
}

function check(ratio: unknown): number {
  if (typeof ratio === 'number' && ratio > 0 && ratio <= 1) return ratio
  throw new BlvitError('BAD_OPTION', `Keep ratio ${ratio} is not a number above 0 and up to 1.`)
}

function hasRatio({ settings }: Architecture): boolean {
  return settings.keepRatio !== undefined
}

/** r, the share of patches that the big blocks of a bLViT process: on average, where its layers keep different shares. */
export const keepRatio: Setting<number> = {
  flags: '-r, --keep-ratio',
  placeholder: 'r',
  about: "share of patches for the big blocks (default: the model's own)",
  parse: (text) => {
    const ratio = text.trim() === '' ? Number.NaN : Number(text)
    if (ratio > 0 && ratio <= 1) return ratio
    throw new BlvitError('BAD_OPTION', `Keep ratio "${text}" must be a number above 0 and up to 1.`)
  },
  check,
  print: (ratio) => `keep ratio ${ratio}`,
  ladder: (_, architecture) => {
    if (!hasRatio(architecture)) return []
    const patches = architecture.grid.rows * architecture.grid.columns
    // of few digits, rounded up so that ⌊r·M⌋ is the number meant
    return Array.from({ length: patches }, (_, i) => Math.ceil((1e4 * (i + 1)) / patches) / 1e4)
  },
  between: (from, to, share) => from + (to - from) * share,
  isPassedOver: (student) => !hasRatio(student),
  decide: (ratio, architecture) => {
    check(ratio)
    // of windows there is no one number: how many each keeps is decided when the graph is built
    if (hasRatio(architecture) && architecture.windows) return { build: { keepRatio: ratio } }
    if (architecture.keptSizes) {
      checkKeepsSome(ratio, architecture)
      return { sizes: architecture.keptSizes(ratio) }
    }
    // All patches go through all blocks: a plain model does just that.
    if (ratio === 1) return {}
    const { family, takesHooks } = architecture
    throw new BlvitError(
      'BAD_OPTION',
      takesHooks
        ? `A ${family} processes every token: keep ratio ${ratio} is not for it. ` +
            'Convert it to a bLViT first (blvit convert), or let tokens go by --reduce.'
        : `The model (${family}) has maps and no tokens that could go: keep ratio ${ratio} is not for it.`,
    )
  },
}
