import type { Share } from '../../base/share.js'
import { codeSpan, visible } from '../../base/visible-text.js'
import { type CardFacts, frontMatter, licenceOf, usage } from '../../model-store/model-card.js'
import type { Architecture } from '../../models/architecture.js'
import type { FinetuneReport } from './report.js'

export interface FinetuneCardFacts extends CardFacts {
  readonly report: FinetuneReport
}

function cell(text: string): string {
  return codeSpan(text).replaceAll('|', '\\|')
}

function percent(share: number): string {
  return Number.isNaN(share) ? '–' : `${(100 * share).toFixed(1)} %`
}

function interval({ low, high }: Share): string {
  return `${percent(low)} to ${percent(high)}`
}

/** Their last names: where the data lies on one machine is nobody else's business. */
function dataNames(paths: readonly string[]): string {
  return paths.map((path) => cell(path.split(/[/\\]/).filter(Boolean).slice(-1).join('/'))).join(', ')
}

/** The README.md of a model that `blvit finetune` made. */
export function finetuneCard(architecture: Architecture, facts: FinetuneCardFacts): string {
  const { title, source, sourceCard, seed, report } = facts
  const { accuracy, folds, meanAveragePrecision } = report.heldOut
  const isSingle = meanAveragePrecision === undefined
  const right = isSingle
    ? `right on ${percent(accuracy.share)} (${interval(accuracy)}, 95 % interval)`
    : `a mean average precision of ${percent(meanAveragePrecision)}, and all labels right on ${percent(accuracy.share)} (${interval(accuracy)}, 95 % interval)`
  const rows = report.classes.map(
    ({ label, pictures, precision, recall }) =>
      `| ${cell(label)} | ${pictures} | ${percent(precision.share)} | ${percent(recall.share)} |`,
  )
  const licence = licenceOf(sourceCard)
  return `${frontMatter(architecture, facts)}

# ${visible(title)}

A classifier of ${report.classes.length} classes, made by \`blvit finetune\`: a linear head (multinomial logistic regression) on what
${codeSpan(source)} sees, whose other weights are as they were.

| | |
|---|---|
| started as | ${cell(source)} |
| pictures | ${report.pictures}, of ${dataNames(report.data)} |
| features at | ${report.setting} |
| penalty λ | ${report.penalty} |
| seed | ${seed} |

${folds}-fold cross-validation: ${right}, of pictures that the head that answered hadn't learned from. The head in this
folder learned from all of them.

| class | pictures | precision | recall |
|---|---|---|---|
${rows.join('\n')}

${licence === undefined ? "The model that it started from doesn't state a licence; ask its authors before you publish this." : `The model that it started from is under the licence ${licence}; what comes with it stands in its own card and NOTICE.`}

${usage(architecture)}`
}
