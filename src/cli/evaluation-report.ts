import type { Share } from '../base/share.js'
import { visible } from '../base/visible-text.js'
import { writeWholeFile } from '../files/output-files.js'
import { plainKey } from '../settings/setting.js'
import type { Evaluation, EvaluationTiming } from '../tasks/node/evaluate/evaluate.js'
import { pictureCsv } from '../tasks/node/evaluate/picture-csv.js'
import type { PictureOutcome } from '../tasks/node/evaluate/picture-outcome.js'
import type { Accuracy } from '../tasks/node/evaluate/tally.js'
import type { CliContext } from './context.js'
import { countedPictures, grouped, percent } from './quantities.js'
import { textTable } from './table.js'

/** What was evaluated, as the user called it. */
export interface EvaluatedNames {
  readonly model: string
  readonly teacher: string | undefined
  /** What the teacher answers at, as people read it. */
  readonly teacherSetting?: string | undefined
  readonly data: readonly string[]
}

/** `82.0 % (533)   78.9 – 84.8 %` in two cells. */
function cells(share: Share | undefined): [string, string] {
  if (!share) return ['', '']
  if (share.of === 0) return ['–', '']
  const interval = `${(100 * share.low).toFixed(1)} – ${percent(share.high)}`
  return [`${percent(share.share)} (${grouped(share.count)})`, interval]
}

/** The report for people. */
function evaluationText(
  evaluation: Evaluation,
  { model, teacher, teacherSetting = plainKey, data }: EvaluatedNames,
): string {
  const { pictures, evaluated, labelled, results, failures } = evaluation
  const agrees = results.some(({ agreement }) => agreement)
  const hasTop5 = results.some(({ top5 }) => top5)
  const isStaged = results.some(({ secondStage }) => secondStage)
  const hasSeveral = results.some(({ several }) => several)
  const columns = [
    { heading: 'model', align: 'left' as const },
    { heading: 'setting', align: 'left' as const },
    ...[
      'top-1',
      ...(hasTop5 ? ['top-5'] : []),
      ...(hasSeveral ? ['all labels right'] : []),
      ...(agrees ? ['same as teacher'] : []),
    ].flatMap((heading) => [{ heading }, { heading: '95 % interval' }]),
    ...(hasSeveral ? [{ heading: 'mean average precision' }] : []),
    ...(isStaged ? [{ heading: 'to the second stage' }] : []),
  ]
  const stageCell = (share: Share | undefined) => (isStaged ? [cells(share)[0]] : [])
  const accuracyCells = ({ top1, top5, several }: Accuracy) => [
    ...cells(top1),
    ...(hasTop5 ? cells(top5) : []),
    ...(hasSeveral ? cells(several?.exact) : []),
  ]
  const precisionCell = ({ several }: Accuracy) =>
    hasSeveral ? [several ? percent(several.meanAveragePrecision) : ''] : []
  const rows = results.map((result) => [
    model,
    result.setting,
    ...accuracyCells(result),
    ...(agrees ? cells(result.agreement) : []),
    ...precisionCell(result),
    ...stageCell(result.secondStage),
  ])
  if (teacher !== undefined && evaluation.teacher)
    rows.push([
      ...[teacher, teacherSetting, ...accuracyCells(evaluation.teacher)],
      ...(agrees ? cells(undefined) : []),
      ...precisionCell(evaluation.teacher),
      ...stageCell(undefined),
    ])
  const rule = evaluation.labelRule === undefined ? [] : [`labels: ${evaluation.labelRule}`]
  const failed = failures.length > 0 ? `, ${grouped(failures.length)} failed` : ''
  const counts =
    `${data.join(' ')}: ${countedPictures(pictures)}, ${grouped(evaluated)} evaluated, ` +
    `${grouped(labelled)} of them labelled${failed}`
  return [[counts, ...rule].join('\n'), textTable(columns, rows)].join('\n\n')
}

/** The report for programs; everything but `timing` is the same each time. */
function evaluationJson(evaluation: Evaluation, { model, teacher, data }: EvaluatedNames): string {
  const { timing, teacher: teacherAccuracy, ...counts } = evaluation
  const { pictures, elapsedMs, engineMs } = timing
  return JSON.stringify({
    model,
    data,
    ...counts,
    ...(teacher === undefined ? {} : { teacher: { model: teacher, ...teacherAccuracy } }),
    timing: {
      pictures,
      elapsedMs: Number(elapsedMs.toFixed(1)),
      engineMs: Number(engineMs.toFixed(1)),
      picturesPerSecond: Number(((1000 * pictures) / elapsedMs).toFixed(2)),
    },
  })
}

/** More complaints than these would hide everything else; the report has them all. */
const shownFailures = 20

/** @returns notes of each picture that failed why, until there are many */
export function failureTeller(note: CliContext['note']): (outcome: PictureOutcome) => void {
  let failures = 0
  return ({ error }) => {
    if (!error) return
    failures += 1
    if (failures <= shownFailures) note(`error: ${visible(error.message)}`)
    if (failures === shownFailures + 1)
      note('error: more pictures fail; --json and --per-image list them all')
  }
}

/** What an evaluation is printed of. */
export interface Evaluated {
  readonly evaluation: Evaluation
  readonly outcomes: readonly PictureOutcome[]
  readonly names: EvaluatedNames
  /** Of the model, in class order. */
  readonly labels: readonly string[]
}

/** Writes the table of all pictures, if asked for, and prints the report. */
export async function printEvaluation(
  { evaluation, outcomes, names, labels }: Evaluated,
  { json, perImage }: { json?: boolean | undefined; perImage?: string | undefined },
  context: CliContext,
): Promise<void> {
  if (perImage !== undefined) {
    const settings = evaluation.results.map(({ setting }) => setting)
    await writeWholeFile(perImage, pictureCsv(outcomes, { settings, labels }))
  }
  await context.out(json ? evaluationJson(evaluation, names) : evaluationText(evaluation, names))
  for (const note of evaluation.notes) context.note(note)
  context.note(timingText(evaluation.timing))
}

/** How fast it went and whether the engine had to wait. */
function timingText({ pictures, elapsedMs, engineMs }: EvaluationTiming): string {
  const seconds = elapsedMs / 1000
  return (
    `${countedPictures(pictures)} in ${seconds.toFixed(1)} s: ${(pictures / seconds).toFixed(1)} pictures/s; ` +
    `the engine had work ${percent(engineMs / elapsedMs)} of the time`
  )
}
