import { parseReduction } from '../reduction/parse-reduction.js'
import type { Setting } from './setting.js'

/** Nothing is reduced: takes back what a model was loaded with. */
const none = 'none'

/** What lets a plain ViT go on with fewer tokens, with its parameters: `evit:0.7`, `tome:8`. */
export const reduce: Setting<string> = {
  parse: (text) => (text.trim() === none ? none : parseReduction(text).text),
  // a caller without types may give anything
  print: (text) => (text === none ? '' : parseReduction(`${text}`).text),
  ladder: (text, architecture) => (text === none ? [] : parseReduction(text).steps(architecture)),
  decide: (text, architecture) =>
    text === none ? {} : { build: { hooks: parseReduction(`${text}`).hooks(architecture) } },
}
