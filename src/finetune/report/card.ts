import { codeCell, codeSpan } from '../../base/markdown.js'
import type { Share } from '../../base/share.js'
import { visible } from '../../base/visible-text.js'
import { type CardFacts, dataNames, frontMatter, licenceOf, usage } from '../../model-store/model-card.js'
import type { Architecture } from '../../models/architecture.js'
import type { FinetuneReport } from './report.js'

export interface FinetuneCardFacts extends CardFacts {
  readonly report: FinetuneReport
}

function percent(share: number): string {
  return Number.isNaN(share) ? '–' : `${(100 * share).toFixed(1)} %`
}

function interval({ low, high }: Share): string {
  return `${percent(low)} to ${percent(high)}`
}

function howMade({ layers }: FinetuneReport, source: string): string {
  const head = `a linear head (multinomial logistic regression) on what ${codeSpan(source)} sees`
  return layers === 'head'
    ? `It is ${head}, whose other weights are as they were.`
    : `It began with ${head}; then all layers learned.`
}

/** The README.md of a model that `blvit finetune` made. */
export function finetuneCard(architecture: Architecture, facts: FinetuneCardFacts): string {
  const { title, source, sourceCard, seed, report } = facts
  const { accuracy, folds, meanAveragePrecision, headAccuracy } = report.heldOut
  const isSingle = meanAveragePrecision === undefined
  const right = isSingle
    ? `right on ${percent(accuracy.share)} (${interval(accuracy)}, 95 % interval)`
    : `a mean average precision of ${percent(meanAveragePrecision)}, and all labels right on ${percent(accuracy.share)} (${interval(accuracy)}, 95 % interval)`
  const rows = report.classes.map(
    ({ label, pictures, precision, recall }) =>
      `| ${codeCell(label)} | ${pictures} | ${percent(precision.share)} | ${percent(recall.share)} |`,
  )
  const licence = licenceOf(sourceCard)
  return `${frontMatter(architecture, facts)}

# ${visible(title)}

A classifier of ${report.classes.length} classes, made by \`blvit finetune\`. ${howMade(report, source)}

| | |
|---|---|
| started as | ${codeCell(source)} |
| pictures | ${report.pictures}, of ${dataNames(report.data)} |
| features at | ${report.setting} |
| penalty λ | ${report.penalty} |
| seed | ${seed} |

${folds === undefined ? 'Held out' : `${folds}-fold cross-validation`}: ${right}, of pictures that weren't learned from${folds === undefined ? '' : ' by the head that answered; the head in this folder learned from all of them'}.${headAccuracy ? ` The head that it began with was right on ${percent(headAccuracy.share)} of the same pictures.` : ''}

| class | pictures | precision | recall |
|---|---|---|---|
${rows.join('\n')}

${licence === undefined ? "The model that it started from doesn't state a licence; ask its authors before you publish this." : `The model that it started from is under the licence ${licence}; what comes with it stands in its own card and NOTICE.`}

${usage(architecture)}`
}
