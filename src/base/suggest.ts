import { distance } from 'fastest-levenshtein'

/** Letters to change, add or leave out; two neighbours that changed places are one slip. */
function slips(typed: string, name: string): number {
  const first = [...typed].findIndex((letter, i) => letter !== name[i])
  const swapped =
    typed.slice(0, first) + typed.charAt(first + 1) + typed.charAt(first) + typed.slice(first + 2)
  return first >= 0 && swapped === name ? 1 : distance(typed, name)
}

/** `" Did you mean X?"` when a known name is close to what was typed, else the empty string. */
export function didYouMean(typed: string, known: Iterable<string>): string {
  let best: string | undefined
  // More than a third of the letters wrong is another word, not a typo; of two or three letters two are.
  let bestDistance = Math.max(typed.length < 4 ? 1 : 2, Math.floor(typed.length / 3)) + 1
  for (const name of known) {
    const edits = slips(typed.toLowerCase(), name.toLowerCase())
    if (edits < bestDistance) {
      best = name
      bestDistance = edits
    }
  }
  return best === undefined ? '' : ` Did you mean "${best}"?`
}
