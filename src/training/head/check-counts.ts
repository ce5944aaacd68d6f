import { BlvitError } from '../../base/blvit-error.js'

const shown = 5

/**
 * Each class must be learned from some pictures and tried on others.
 * @param counts the different pictures of each class that can be used
 * @param failures why others can't
 * @throws BlvitError `BAD_DATA` naming the classes that have too few
 */
export function checkCounts(
  labels: readonly string[],
  counts: readonly number[],
  failures: readonly { readonly message: string }[],
): void {
  const few = labels.flatMap((label, at) =>
    (counts[at] ?? 0) < 2 ? [{ label, count: counts[at] ?? 0 }] : [],
  )
  if (few.length === 0) return
  const list = few.slice(0, shown).map(({ label, count }) => `"${label}" has ${count === 0 ? 'none' : 'one'}`)
  const more = few.length > shown ? `, and ${few.length - shown} more classes` : ''
  const [first] = failures
  const because = first
    ? ` ${failures.length === 1 ? '1 picture was' : `${failures.length} pictures were`} left out, the first because: ${first.message}`
    : ''
  throw new BlvitError(
    'BAD_DATA',
    `Each class needs at least 2 different pictures that can be used, one to learn from and one to try it on: ${list.join(', ')}${more}. ` +
      `Add pictures, or take those classes out.${because}`,
    { classes: few },
  )
}
