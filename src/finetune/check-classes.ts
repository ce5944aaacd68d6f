import { BlvitError } from '../base/blvit-error.js'
import type { OwnClasses } from '../data/class-names.js'

/** More make a table of confusions, and hours of fitting, that nobody asked for; the next step are weights of one's own. */
const mostClasses = 5_000

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
