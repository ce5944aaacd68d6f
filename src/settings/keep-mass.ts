import { BlvitError } from '../base/blvit-error.js'
import type { Setting } from './setting.js'

function check(mass: unknown): number {
  if (typeof mass === 'number' && mass > 0 && mass < 1) return mass
  const message = `Keep mass ${mass} is not a number between 0 and 1, such as 0.7. For all patches give keep ratio 1.`
  throw new BlvitError('BAD_OPTION', message)
}

// finer ones differ by less than a patch
const steps = 100

/**
 * The share of a predictor's scores that the chosen patches hold: of each picture and at each predictor the fewest patches
 * that do take the big blocks, few where the model sees at once what matters, many where it doesn't. Pictures of a batch don't
 * depend on each other, but cost as much as the one that chooses most.
 */
export const keepMass = {
  flags: '--keep-mass',
  placeholder: 'share',
  about:
    'patches for the big blocks: the fewest that hold this share of the scores, each picture its own number',
  unit: 'mass',
  replaces: ['keepRatio'],
  parse: (text) => check(text.trim() === '' ? text : Number(text)),
  check,
  print: (mass) => `keep mass ${mass}`,
  ladder: () => Array.from({ length: steps - 1 }, (_, i) => (i + 1) / steps),
  isPassedOver: ({ settings }) => settings.keepRatio === undefined,
  decide: (mass, { settings, family, takesHooks, windows }) => {
    check(mass)
    if (windows) {
      const message = `Tokens of a ${family} are chosen window by window, as many in each of one shape: keep mass ${mass} is not for it. Turn its --keep-ratio.`
      throw new BlvitError('BAD_OPTION', message, { family })
    }
    if (settings.keepRatio !== undefined) return { build: { keepMass: mass } }
    throw new BlvitError(
      'BAD_OPTION',
      takesHooks
        ? `A ${family} processes every token: keep mass ${mass} is not for it. ` +
            'Convert it to a bLViT first (blvit convert), or let tokens go by --reduce ats:1, which counts for each picture too.'
        : `The model (${family}) has maps and no tokens that could go: keep mass ${mass} is not for it.`,
    )
  },
} as const satisfies Setting<number>
