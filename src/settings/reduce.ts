import type { Setting, SettingTools } from './setting.js'

/** Nothing is reduced: takes back what a model was loaded with. */
const none = 'none'

function canonical(value: unknown, { parseReduction }: SettingTools): string {
  const text = `${value}`
  return text.trim() === none ? none : parseReduction(text).text
}

/** What lets a plain ViT go on with fewer tokens, with its parameters: `evit:0.7`, `tome:8`. */
export const reduce: Setting<string> = {
  flags: '--reduce',
  placeholder: 'method',
  about:
    'let tokens go on the way through a plain ViT, e.g. evit:0.7, tome:8 or mctf:16; blvit methods lists all',
  // `tome:8,schedule=decreasing,tome:13` are two: a name with = goes on with the method before it
  separator: /,(?!\s*[\w-]+\s*=)/,
  read: (text, readFile, { withFilesRead }) => withFilesRead(text, readFile),
  parse: canonical,
  check: canonical,
  print: (text, architecture, { parseReduction }) =>
    text === none ? '' : parseReduction(`${text}`).textFor(architecture),
  ladder: (text, architecture, { parseReduction }) =>
    text === none ? [] : parseReduction(text).steps(architecture),
  between: (from, to, share, architecture, { parseReduction }) =>
    parseReduction(from).towards(to, share, architecture),
  decide: (text, architecture, { parseReduction }) =>
    text === none ? {} : { build: { hooks: parseReduction(`${text}`).hooks(architecture) } },
}
