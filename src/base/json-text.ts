/** How many brackets of a JSON text are open at once at most; brackets in strings don't count. */
export function nestingDepth(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = endOfString(text, at)
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth)
    else if (character === '}' || character === ']') depth -= 1
  }
  return deepest
}

/**
 * The first key that the outermost object of a JSON text has twice: JSON.parse keeps the last and says nothing.
 * @param text valid JSON
 */
export function repeatedKey(text: string): string | undefined {
  const seen = new Set<string>()
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
    else if (character === '"') {
      const end = endOfString(text, at)
      if (depth === 1 && isKey(text, end)) {
        const key = JSON.parse(text.slice(at, end + 1)) as string
        if (seen.has(key)) return key
        seen.add(key)
      }
      at = end
    }
  }
  return undefined
}

/** @returns the place of the quote that ends the string, or of the text's end */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text[at - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return at
  }
  return text.length
}

function isKey(text: string, end: number): boolean {
  let at = end + 1
  while (at < text.length && ' \n\r\t'.includes(text[at] as string)) at += 1
  return text[at] === ':'
}
