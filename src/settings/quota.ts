import { BlvitError } from '../base/blvit-error.js'
import type { Quota } from '../models/window-kinds.js'
import type { Setting } from './setting.js'

// spelled out here so that a process reads no model before it starts its engine
const known: readonly Quota[] = ['proportional', 'equal']

function check(quota: unknown): Quota {
  const found = known.find((one) => one === quota)
  if (found) return found
  throw new BlvitError('BAD_OPTION', `Quota "${quota}" must be one of ${known.join(', ')}.`)
}

/**
 * Of a model whose tokens look around in windows: whether what is kept of each is a share of the tokens that it has, or of its
 * places, which are as many in every window, those outside of the picture's grid too.
 */
export const quota = {
  flags: '--quota',
  placeholder: 'of',
  qualifies: true,
  about:
    "of Segment Anything: a share of a window is one of its tokens (proportional) or of its places, as many in each (equal); default: the model's own",
  parse: (text) => check(text.trim()),
  check,
  print: (quota, { windows }) => (windows?.quota === quota ? '' : `${quota} quota`),
  remake: (quota, architecture, { withChanges }) => {
    const { windows, family } = architecture
    if (windows) return windows.quota === quota ? architecture : withChanges(architecture, { quota })
    const message = `Tokens of a ${family} look around everywhere and not in windows: there is no quota of any. Leave it out.`
    throw new BlvitError('BAD_OPTION', message, { family })
  },
} as const satisfies Setting<Quota>
