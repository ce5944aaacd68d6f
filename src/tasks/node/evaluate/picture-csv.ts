import { csvText } from '../../../data/csv-table.js'
import type { PictureOutcome } from './picture-outcome.js'

const columns = [
  'file',
  'label',
  'setting',
  'predicted',
  'predicted_label',
  'probability',
  'rank',
  'teacher_predicted',
  'error',
]

/**
 * A table of what was said of each picture: a line for each picture and setting, and one for a picture that failed.
 * `rank` is the place of the labelled class, 1 is right; of several labels, which a bar parts, that of the best placed.
 */
export function pictureCsv(
  outcomes: readonly PictureOutcome[],
  { settings, labels }: { settings: readonly string[]; labels: readonly string[] },
): string {
  const rows = outcomes.flatMap(({ name, answers, teacher, error, ...truth }) => {
    const label = truth.labels?.join('|') ?? truth.label
    return answers
      ? answers.map(({ predicted, probability, rank }, index) => [
          ...[name, label, settings[index], predicted, labels[predicted]],
          ...[Number(probability.toFixed(6)), rank, teacher?.predicted, undefined],
        ])
      : [[name, label, ...Array<undefined>(6).fill(undefined), error?.message]]
  })
  return csvText(columns, rows)
}
