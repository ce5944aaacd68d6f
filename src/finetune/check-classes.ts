import { BlvitError } from '../base/blvit-error.js'
import type { OwnClasses } from '../data/class-names.js'
import type { Failure } from './features/collect.js'

/** More make a table of confusions, and hours of fitting, that nobody asked for; the next step are weights of one's own. */
const mostClasses = 5_000
const shown = 5

/** @throws BlvitError `BAD_DATA` for data that no classifier can be made of, before any picture is read */
export function checkClasses({ labels, several }: OwnClasses, data: readonly string[]): void {
  const where = data.join(', ')
  if (labels.length === 0) {
    const message = `${where} has no labels to learn: put the pictures of each class into a folder of its name, or list them in labels.csv (file,label).`
    throw new BlvitError('BAD_DATA', message)
  }
  if (labels.length === 1 && several === undefined) {
    const message = `${where} has one class only, "${labels[0]}". A classifier needs two: put pictures of anything else into a second one.`
    throw new BlvitError('BAD_DATA', message, { classes: labels })
  }
  if (labels.length > mostClasses) {
    const message =
      `${where} has ${labels.length} classes ("${labels[0]}", "${labels[1]}", …); fine-tuning takes at most ${mostClasses}. ` +
      'Are these names or numbers of pictures?'
    throw new BlvitError('BAD_DATA', message, { classes: labels.length })
  }
}

/**
 * Each class must be learned from some pictures and tried on others.
 * @param counts the different pictures of each class that can be used
 * @param failures why others can't
 * @throws BlvitError `BAD_DATA` naming the classes that have too few
 */
export function checkCounts(
  labels: readonly string[],
  counts: readonly number[],
  failures: readonly Failure[],
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
