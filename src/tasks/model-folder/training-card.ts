import { basename } from 'node:path'
import type { Architecture } from '../../models/architecture.js'
import { type DecidedRecipe, type Stage, stepsOf } from '../../recipes/recipe.js'
import type { StepReport, ValidationReport } from '../train/step-report.js'
import { type CardFacts, frontMatter, licenceOf, usage } from './model-card.js'

/** How a model was trained. */
export interface TrainingFacts extends CardFacts {
  readonly recipe: DecidedRecipe
  /** Undefined where nothing was learned from one. */
  readonly teacher: string | undefined
  /** What the pictures were called. */
  readonly data: string
  /** The last of each stage; those of a stage that an earlier run ended are missing. */
  readonly reports: readonly StepReport[]
  readonly validations: readonly ValidationReport[]
}

function stageRow(stage: Stage, number: number, reports: readonly StepReport[]): string {
  const ratio = stage.keepRatio === undefined ? 'its own' : JSON.stringify(stage.keepRatio)
  const losses = Object.entries(reports.find((report) => report.stage === number)?.losses ?? {})
  const told = losses.map(([name, value]) => `${name} ${value.toPrecision(3)}`).join(', ')
  const { objective, pictures, batch, learningRate } = stage
  return `| ${number} | ${objective} | ${pictures} | ${stepsOf(stage)} × ${batch} | ${learningRate} | ${ratio} | ${told} |`
}

function validationTable(validations: readonly ValidationReport[]): string {
  const best = validations.findLast((validation) => validation.best)
  if (!best) return 'How often it is right has not been measured: `blvit eval` does.'
  const rows = best.results.map(({ keepRatio, top1 }) => {
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`
    return `| ${keepRatio ?? 'all'} | ${percent(top1.share)} | ${percent(top1.low)} to ${percent(top1.high)} | ${top1.of} |`
  })
  return [
    `Measured after step ${best.step} of stage ${best.stage}, the best of ${validations.length} times:`,
    '',
    '| keep ratio | right | 95 % interval | pictures |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** The README.md of a model that `blvit train` or `blvit distill` made. */
export function trainingCard(architecture: Architecture, facts: TrainingFacts): string {
  const { title, source, teacher, data, recipe, seed, reports, validations, sourceCard } = facts
  const licence =
    licenceOf(sourceCard) === undefined
      ? "The model that it started from doesn't state a licence; ask its authors before you publish this.\n\n"
      : ''
  const rows = recipe.stages.map((stage, index) => stageRow(stage, index + 1, reports))
  return `${frontMatter(architecture, facts)}

# ${title}

Trained by blvit: ${recipe.about}.

| | |
|---|---|
| started as | \`${source}\` |
${teacher === undefined ? '' : `| teacher | \`${teacher}\` |\n`}| pictures | ${basename(data)} |
| optimiser | AdamW, cosine |
| seed | ${seed} |

| stage | objective | pictures | steps × batch | learning rate | keep ratio | the last step |
|---|---|---|---|---|---|---|
${rows.join('\n')}

${validationTable(validations)}

${licence}${usage(architecture)}`
}
