/**
 * A label as it is compared: folder and file names can't hold every letter, so case and underscores don't count, and
 * macOS writes é as two characters.
 */
export function comparedLabel(text: string): string {
  return text.toLowerCase().normalize('NFC').replaceAll('_', ' ').replace(/\s+/g, ' ').trim()
}

/** The names that a label lists between commas, as they are compared: `hen` and `biddy` of `hen, biddy`. */
export function namesIn(label: string): string[] {
  return label.split(',').map(comparedLabel)
}

/** The numbers of the classes that have a name, for each name. @param namesOfClasses in class order */
export function numbersByName(
  namesOfClasses: readonly (readonly string[])[],
): ReadonlyMap<string, readonly number[]> {
  const numbers = new Map<string, number[]>()
  for (const [number, names] of namesOfClasses.entries()) {
    for (const name of new Set(names)) {
      const known = numbers.get(name)
      if (known) known.push(number)
      else numbers.set(name, [number])
    }
  }
  return numbers
}

/** A whole number as it is compared: without leading zeros. Anything else stays. */
export function withoutLeadingZeros(text: string): string {
  return /^\d+$/.test(text) ? text.replace(/^0+(?=\d)/, '') : text
}
