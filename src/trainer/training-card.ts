import { codeCell } from '../base/markdown.js'
import { shareOf } from '../base/share.js'
import { visible } from '../base/visible-text.js'
import { type CardFacts, dataNames, frontMatter, licenceOf, usage } from '../model-store/model-card.js'
import type { Architecture } from '../models/architecture.js'
import { type DecidedRecipe, type Stage, stepsOf } from '../recipes/recipe.js'
import { stageSettings } from '../stages/stage-settings.js'
import { type LogRecord, validationsIn } from './training-log.js'
import { meanAccuracy } from './validation.js'

/** How a model was trained. */
export interface TrainingFacts extends CardFacts {
  readonly recipe: DecidedRecipe
  /** Undefined where nothing was learned from one. */
  readonly teacher: string | undefined
  /** Where the pictures came from. */
  readonly data: readonly string[]
  readonly log: readonly LogRecord[]
}

function stageRow(
  stage: Stage,
  { number, student, log }: { number: number; student: Architecture; log: readonly LogRecord[] },
): string {
  const { objective, pictures, batch, accumulate, learningRate, schedule } = stage
  const settings = stageSettings(stage, student)?.ends.map(({ key }) => key) ?? []
  const last = log.findLast((record) => record.stage === number && 'loss' in record)
  const loss = last?.loss === undefined ? '' : Number(last.loss).toPrecision(3)
  const sizes = `${stepsOf(stage)} × ${accumulate === 1 ? '' : `${accumulate} × `}${batch}`
  return `| ${number} | ${objective} | ${pictures} | ${sizes} | ${learningRate}, ${schedule} | ${[...new Set(settings)].join('; ')} | ${loss} |`
}

function validationTable(log: readonly LogRecord[]): string {
  const validations = validationsIn(log).map(({ stage, step, validation }) => {
    const results = validation.map(({ setting, right, of }) => ({ setting, top1: shareOf(right, of) }))
    return { stage, step, results, accuracy: meanAccuracy(results) }
  })
  const [best] = validations.toSorted((a, b) => b.accuracy - a.accuracy)
  if (!best) return 'How often it is right has not been measured: `blvit eval` does.'
  const rows = best.results.map(({ setting, top1 }) => {
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`
    return `| ${setting} | ${percent(top1.share)} | ${percent(top1.low)} to ${percent(top1.high)} | ${top1.of} |`
  })
  return [
    `Measured after step ${best.step} of stage ${best.stage}, the best of ${validations.length} times:`,
    '',
    '| setting | right | 95 % interval | pictures |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** The README.md of a model that `blvit train` or `blvit distill` made. */
export function trainingCard(architecture: Architecture, facts: TrainingFacts): string {
  const { title, source, teacher, data, recipe, seed, log, sourceCard } = facts
  const licence =
    licenceOf(sourceCard) === undefined
      ? "The model that it started from doesn't state a licence; ask its authors before you publish this.\n\n"
      : ''
  const rows = recipe.stages.map((stage, index) =>
    stageRow(stage, { number: index + 1, student: architecture, log }),
  )
  return `${frontMatter(architecture, facts)}

# ${visible(title)}

Trained by blvit: ${recipe.about}.

| | |
|---|---|
| started as | ${codeCell(source)} |
${teacher === undefined ? '' : `| teacher | ${codeCell(teacher)} |\n`}| pictures | ${dataNames(data)} |
| optimiser | AdamW |
| seed | ${seed} |

| stage | objective | pictures | steps × batch | learning rate | settings | loss of the last step |
|---|---|---|---|---|---|---|
${rows.join('\n')}

${validationTable(log)}

${licence}${usage(architecture)}`
}
