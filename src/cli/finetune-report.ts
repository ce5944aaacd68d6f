import type { Share } from '../base/share.js'
import type { FinetuneReport, WrongPicture } from '../finetune/report/report.js'
import { atSetting } from './model-options.js'
import { grouped, percent } from './quantities.js'
import { textTable } from './table.js'

/** Larger tables of confusions fit on no terminal; the report's SVG shows them. */
const mostConfused = 20
const shownPictures = 10

function share({ of, share: value }: Share): string {
  return of === 0 ? '–' : percent(value)
}

function classTable({ classes }: FinetuneReport): string {
  const columns = [
    { heading: 'class', align: 'left' as const },
    { heading: 'pictures' },
    { heading: 'precision' },
    { heading: 'recall' },
  ]
  return textTable(
    columns,
    classes.map(({ label, pictures, precision, recall }) => [
      label,
      grouped(pictures),
      share(precision),
      share(recall),
    ]),
  )
}

function confusionTable({ classes, heldOut: { confusion } }: FinetuneReport): string[] {
  if (!confusion || classes.length > mostConfused) return []
  const columns = [
    { heading: 'is \\ said', align: 'left' as const },
    ...classes.map(({ label }) => ({ heading: label.slice(0, 10) })),
  ]
  const rows = confusion.map((row, at) => [
    classes[at]?.label,
    ...row.map((count) => (count === 0 ? '·' : grouped(count))),
  ])
  return [textTable(columns, rows)]
}

function pictures(title: string, list: readonly WrongPicture[]): string[] {
  if (list.length === 0) return []
  const lines = list
    .slice(0, shownPictures)
    .map(
      ({ picture, label, said, probability }) =>
        `  ${picture}: ${label}, taken for ${said} (${percent(probability)})`,
    )
  const more = list.length > shownPictures ? [`  … and ${grouped(list.length - shownPictures)} more`] : []
  return [[title, ...lines, ...more].join('\n')]
}

function doubles({ doubles: pairs }: FinetuneReport): string[] {
  if (pairs.length === 0) return []
  const lines = pairs.slice(0, shownPictures).map(({ pictures: [a, b], labels: [first, second], same }) => {
    const differ =
      first.join() === second.join() ? '' : `, labelled ${first.join(', ')} and ${second.join(', ')}`
    return `  ${a} and ${b} ${same ? 'are the same' : 'look alike'}${differ}`
  })
  const more = pairs.length > shownPictures ? [`  … and ${grouped(pairs.length - shownPictures)} more`] : []
  return [['Doubles (kept on one side of every split):', ...lines, ...more].join('\n')]
}

/** The report for people. */
export function finetuneText(report: FinetuneReport, output: string): string {
  const { accuracy, folds, meanAveragePrecision, headAccuracy } = report.heldOut
  const interval = `${(100 * accuracy.low).toFixed(1)} – ${percent(accuracy.high)}`
  const right =
    meanAveragePrecision === undefined
      ? `right on ${percent(accuracy.share)} of ${grouped(accuracy.of)} pictures (95 % interval ${interval})`
      : `mean average precision ${percent(meanAveragePrecision)}; all labels right on ${percent(accuracy.share)} of ${grouped(accuracy.of)} pictures (95 % interval ${interval})`
  return [
    `Wrote ${output}: ${report.classes.length} classes from ${grouped(report.pictures)} pictures, on ${report.model}${atSetting(report.setting)}.`,
    `On pictures that it didn't learn from (${folds === undefined ? 'held out' : `${folds}-fold cross-validation`}): ${right}.`,
    ...(headAccuracy
      ? [`The head that it began with was right on ${percent(headAccuracy.share)} of them.`]
      : []),
    ['', classTable(report)].join('\n'),
    ...confusionTable(report).map((table) => `\n${table}`),
    ...pictures('\nLikely to have the wrong label:', report.suspects),
    ...doubles(report).map((text) => `\n${text}`),
    `\nTry it: blvit classify photo.jpg --model ${output}`,
  ].join('\n')
}
