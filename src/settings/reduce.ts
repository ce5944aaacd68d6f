import { parseReduction, reductions } from '../reduction/parse-reduction.js'
import type { Setting } from './setting.js'

/** Nothing is reduced: takes back what a model was loaded with. */
const none = 'none'

/** What lets a plain ViT go on with fewer tokens, with its parameters: `evit:0.7`, `tome:8`. */
export const reduce: Setting<string> = {
  option: {
    flags: '--reduce',
    placeholder: 'method',
    about: `let tokens go on the way through a plain ViT: ${reductions.map(({ example }) => example).join(', ')}`,
  },
  // `tome:8,schedule=decreasing,tome:13` are two: a name with = goes on with the method before it
  separator: /,(?!\s*[\w-]+\s*=)/,
  parse: (text) => (text.trim() === none ? none : parseReduction(text).text),
  print: (text) => (text === none ? '' : parseReduction(text).text),
  ladder: (text, architecture) => (text === none ? [] : parseReduction(text).steps(architecture)),
  decide: (text, architecture) =>
    text === none ? {} : { build: { hooks: parseReduction(text).hooks(architecture) } },
}
