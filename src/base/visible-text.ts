// Terminals obey control characters, of C1 (U+0080 … U+009F) too; the others break lines or turn the direction in which
// what follows is read. Marks of one letter (U+200E, U+200F, joiners) belong to the scripts that need them.
const obeyed = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu

/** As JSON writes them, so that JSON stays what it is. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** A name or label from outside on one line: what a terminal would obey is written out, `\u001b`. */
export function visible(text: string): string {
  return text.replace(obeyed, escaped)
}

/** Text of several lines, with our own line breaks and tabs in it; what else a terminal would obey is written out. */
export function visibleLines(text: string): string {
  return text.replace(obeyed, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  )
}
