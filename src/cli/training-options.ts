import type { Command } from 'commander'
import { visible } from '../base/visible-text.js'
import type { StepReport, ValidationReport } from '../trainer/step-report.js'
import type { Training } from '../trainer/train.js'
import type { TrainOptions } from '../trainer/train-options.js'
import type { CliContext } from './context.js'
import { deviceOption, type devices, offlineOption } from './model-options.js'
import { positiveInteger, positiveNumber, seed, setOption } from './option-values.js'
import { downloadProgress } from './progress.js'
import { bytes, grouped, percent } from './quantities.js'
import {
  type ManyRunSettingFlags,
  manySettingsFrom,
  unnamedSettings,
  withManyRunSettings,
  withoutSettings,
} from './setting-options.js'

/** What every command that trains is told. */
export interface TrainingFlags extends ManyRunSettingFlags {
  readonly recipe: string
  readonly data: readonly string[]
  readonly output: string
  readonly images?: number
  readonly batch?: number
  readonly accumulate?: number
  readonly lrScale?: number
  readonly set?: Readonly<Record<string, unknown>>
  readonly seed: number
  readonly validation?: readonly string[]
  readonly validateEvery?: number
  readonly validationLimit?: number
  readonly validateAt?: readonly string[]
  readonly checkpointEvery: number
  readonly device: (typeof devices)[number]
  readonly threads?: number
  readonly workers: number
  readonly resume?: boolean
  readonly overwrite?: boolean
  readonly dryRun?: boolean
  readonly offline?: boolean
  readonly json?: boolean
}

const trainedAt = "to train and validate at, in place of the recipe's; of several each step draws one"

/** Options of every command that trains. */
export function trainingOptions(command: Command): Command {
  return withManyRunSettings(command, trainedAt)
    .requiredOption(
      '--data <paths...>',
      "pictures: folders, .tar files or a labels.csv; with masks: instances.json in COCO's form",
    )
    .requiredOption(
      '-o, --output <folder>',
      'where to write the model; <folder>.training keeps checkpoints, log and curves',
    )
    .option(
      '--images <n>',
      "pictures to see in all stages, instead of the recipe's; again counted again",
      positiveInteger,
    )
    .option(
      '-b, --batch <n>',
      "pictures that the engine takes at once, instead of the recipe's; where that accumulates, a step keeps its pictures",
      positiveInteger,
    )
    .option('--accumulate <n>', "batches that make one step, instead of the recipe's", positiveInteger)
    .option('--lr-scale <factor>', 'multiplies the learning rates of the recipe', positiveNumber)
    .addOption(setOption())
    .option('--seed <n>', 'of new weights, order, crops and keep ratios', seed, 0)
    .option('--validation <paths...>', 'labelled pictures to measure with now and then; the best weights win')
    .option(
      '--validate-every <steps>',
      'steps between two validations (default: a tenth of each stage)',
      positiveInteger,
    )
    .option('--validation-limit <n>', 'only the first so many pictures of --validation', positiveInteger)
    .option(
      '--validate-at <settings...>',
      'settings to validate at, e.g. 0.25 0.5 1 or evit:0.7 (default: those trained at, if given, else four keep ratios)',
    )
    .option('--checkpoint-every <steps>', 'steps between two checkpoints', positiveInteger, 100)
    .addOption(deviceOption('where to train'))
    .option('--threads <n>', 'threads of the engine (default: as many as it thinks good)', positiveInteger)
    .option('--workers <n>', 'threads that decode and augment pictures', positiveInteger, 1)
    .option('--resume', 'go on from the newest checkpoint of a training with the same options')
    .option('--overwrite', 'replace the folder and the checkpoints if they are there')
    .option('--dry-run', 'make four small steps of each stage, forecast time and memory, write nothing')
    .addOption(offlineOption())
    .option('--json', 'print what came of it as JSON')
}

/** More complaints than these would hide everything else; the log has them all. */
const shownComplaints = 20

function validationText({ results, failures, best }: ValidationReport): string {
  const shares = results.map(
    ({ setting, top1 }) => `${results.length === 1 ? '' : `${setting}: `}${percent(top1.share)}`,
  )
  const lost =
    failures === 0 ? '' : ` (${grouped(failures)} pictures couldn't be used: blvit eval names them)`
  return `right ${shares.join(', ')}${best ? ', the best so far' : ''}${lost}`
}

/** What a dry run has found, per stage and in all. */
function forecast({ reports, peakMemoryBytes }: Training): string[] {
  const minutesOf = ({ steps, msPerStep }: StepReport) => (steps * msPerStep) / 60_000
  const stages = reports.map((report) => {
    const { objective, steps, imagesPerSecond } = report
    // the first step is slower than those that follow
    if (steps === 1) return `${objective}: one step, which says nothing about speed.`
    const speed = `${imagesPerSecond.toFixed(1)} pictures/s`
    return `${objective}: ${grouped(steps)} steps at ${speed} would take ${minutesOf(report).toFixed(1)} minutes.`
  })
  const measured = reports.filter(({ steps }) => steps > 1)
  const all = measured.reduce((sum, report) => sum + minutesOf(report), 0).toFixed(1)
  return [...stages, `In all ${all} minutes and ${bytes(peakMemoryBytes)} of memory. Nothing was written.`]
}

/** Trains as the flags say and tells how it goes. */
export async function runTraining(
  flags: TrainingFlags,
  context: CliContext,
  { model, to, teacher }: { model: string } & Pick<TrainOptions, 'to' | 'teacher'>,
): Promise<void> {
  const { findRecipe } = await import('../trainer/find-recipe.js')
  const { train } = await import('../trainer/train.js')
  const { recipe, data, images, batch, accumulate, lrScale, validateAt, json, ...options } =
    withoutSettings(flags)
  const given = await manySettingsFrom(flags)
  const changes = { pictures: images, batch, accumulate, learningRateScale: lrScale, settings: given }
  const found = await findRecipe(recipe, changes)
  const { trainingProgress } = await import('./training-progress.js')
  const progress = trainingProgress(context)
  let complaints = 0
  let hasCheckpoint = options.resume === true
  const onStep = (report: StepReport) => {
    for (const complaint of report.complaints) {
      complaints += 1
      if (complaints <= shownComplaints) context.note(`left out: ${visible(complaint)}`)
    }
    hasCheckpoint = options.dryRun !== true
    progress.show(report)
  }
  try {
    const training = await train(model, data, found, {
      ...{ ...options, to, teacher, signal: context.signal, onStep },
      validationSettings: validateAt ? await unnamedSettings(validateAt) : given,
      onNote: context.note,
      onValidation: (report) => context.note(`step ${report.step}: ${validationText(report)}`),
      onProgress: downloadProgress(context),
    })
    progress.stop()
    if (json) context.out(JSON.stringify(training, null, 2))
    else tell(training, { context, flags, model, to })
  } finally {
    progress.stop()
    if (context.signal.aborted && hasCheckpoint) context.note('Go on with the same command and --resume.')
  }
}

function tell(
  training: Training,
  {
    context,
    flags,
    model,
    to,
  }: { context: CliContext; flags: TrainingFlags; model: string; to: string | undefined },
): void {
  const last = training.reports.at(-1)
  if (last && last.elapsedMs > 0)
    context.note(`The engine waited ${percent(last.waitedMs / last.elapsedMs)} of the time for pictures.`)
  if (training.output === undefined) {
    for (const line of forecast(training)) context.out(line)
    return
  }
  context.out(
    `Wrote ${training.output}: ${to === undefined ? model : `${to}, begun as ${model}`}, by ${flags.recipe}.`,
  )
  if (training.reports.some(({ objective }) => objective === 'masks')) {
    context.out(`See how good it is: blvit eval ${training.output} --task segment --data <instances.json>`)
    return
  }
  const ratios = to === undefined ? '' : ' --keep-ratio 0.25,0.5,1'
  context.out(`See how good it is: blvit eval ${training.output} --data <labelled pictures>${ratios}`)
}
