import { basename, resolve } from 'node:path'
import { parseWith } from '../base/parse.js'
import type { RunIdentity } from '../base/run-identity.js'
import type { DataSet } from '../data/data-set.js'
import { openDataSet } from '../data/open-data-set.js'
import { gemmRate } from '../engine/gemm.js'
import { checkTarget } from '../files/replace-folder.js'
import { modelFingerprint } from '../model-store/fingerprint.js'
import type { ModelFiles } from '../model-store/model-files.js'
import type { NamedModel } from '../model-store/node/named-model.js'
import { writeModelFolder } from '../model-store/node/write-model-folder.js'
import { type DecidedRecipe, type Recipe, recipeSchema } from '../recipes/recipe.js'
import { engineIdentity } from '../runtime/engine-identity.js'
import { chooseRuntime } from '../runtime/node/choose.js'
import type { ChosenRuntime } from '../runtime/runtime.js'
import { planStages } from '../stages/stage-step.js'
import { usualSettings } from '../stages/usual-settings.js'
import { withNamesOfData } from './class-names.js'
import { Course } from './course.js'
import { assumptionsOf, openParticipants, type Participants } from './participants.js'
import { withPictures } from './picture-stage.js'
import type { StepReport, ValidationReport } from './step-report.js'
import { checkTrainOptions, type TrainOptions } from './train-options.js'
import { trainingCard } from './training-card.js'
import { TrainingFolder } from './training-folder.js'
import type { LogRecord } from './training-log.js'
import { forecastOf, trialOf, trialSteps } from './trial.js'
import { openValidation, type Validation } from './validation.js'

/** What came of a training. */
export interface Training {
  /** The last report of each stage that this run made steps of. */
  readonly reports: readonly StepReport[]
  /** The validations of this run. */
  readonly validations: readonly ValidationReport[]
  /** The folder that was written; undefined after a dry run. */
  readonly output: string | undefined
  /** The most memory that this process has had. */
  readonly peakMemoryBytes: number
}

async function identityOf(
  { source, student, teacher }: Participants,
  {
    recipe,
    dataSet,
    validation,
    runtime,
    threads,
    seed,
  }: {
    recipe: DecidedRecipe
    dataSet: DataSet
    validation: Validation | undefined
    runtime: ChosenRuntime
    threads: number | undefined
    seed: number
  },
): Promise<RunIdentity> {
  return {
    model: await modelFingerprint(source.files),
    ...(teacher ? { teacher: await modelFingerprint(teacher.files) } : {}),
    configuration: JSON.stringify(student.architecture.json),
    recipe: JSON.stringify(recipe.stages),
    data: await dataSet.fingerprint(),
    validation: validation?.identity ?? 'none',
    seed: `${seed}`,
    ...engineIdentity(runtime, { threads }),
  }
}

/** Labels in tars are seen when they are read. */
const anyRule = 'numbers are class numbers from 0, anything else is the name of a class'

function notesOn({ labelRule = anyRule, notes = [] }: DataSet, isLabelled: boolean): readonly string[] {
  return [...notes, ...(isLabelled ? [`labels: ${labelRule}`] : [])]
}

/** What matrix products alone reach, measured once: trainings of one process are compared with the same number. */
const gemmRates = new Map<string, Promise<number>>()

function knownGemmRate({ runtime }: ChosenRuntime, threads: number | undefined): Promise<number> {
  const key = `${runtime.description} ${threads}`
  const known = gemmRates.get(key)
  if (known) return known
  const rate = gemmRate(runtime, { threads })
  gemmRates.set(key, rate)
  // the next training tries again
  rate.catch(() => gemmRates.delete(key))
  return rate
}

/** A model that was trained, before its folder is written. */
export interface TrainedModel {
  readonly files: ModelFiles
  readonly participants: Participants
  readonly recipe: DecidedRecipe
  readonly log: readonly LogRecord[]
  readonly reports: readonly StepReport[]
  readonly validations: readonly ValidationReport[]
}

/**
 * Trains a model as {@link train} does, and leaves it to the caller what is written.
 * @throws BlvitError as {@link train}
 */
export async function trainModel(
  model: string | NamedModel,
  paths: readonly string[],
  recipe: Recipe | DecidedRecipe,
  options: TrainOptions,
): Promise<TrainedModel> {
  const { seed = 0, resume = false, overwrite = false, dryRun = false, output, threads } = options
  checkTrainOptions(options)
  const decided = parseWith(recipeSchema, recipe, 'The recipe')
  if (!dryRun) {
    await checkTarget(output, overwrite)
    await TrainingFolder.check(output, { resume, overwrite })
  }
  const opened = await openParticipants(model, decided, { ...options, seed })
  const { teacher } = opened
  for (const assumption of assumptionsOf(opened)) options.onNote?.(assumption)
  // Steps write into the session's own memory, which an engine on another thread couldn't.
  const runtime = await chooseRuntime(options.device, { thread: 'caller' })
  const planned = planStages(dryRun ? trialOf(decided) : decided, {
    student: opened.student.architecture,
    teacher: teacher?.files.architecture,
    runtime: runtime.runtime,
  })
  const stages = planned.map((each) => withPictures(each, opened.student.architecture))
  const asked = new Set(stages.flatMap(({ asksForLabels }) => asksForLabels ?? []))
  const isLabelled = asked.size > 0
  const student = isLabelled ? await withNamesOfData(opened.student, paths) : opened.student
  if (student !== opened.student) options.onNote?.("classes: they had numbers alone and get the data's names")
  const participants = { ...opened, student }
  const { validationNames, without = [] } = options
  const heldOut = [...without, ...(validationNames ?? [])]
  const dataSet = await openDataSet(paths, {
    ...{ labels: isLabelled ? student.labels : ('ignored' as const), without: heldOut },
    ...{ several: asked.has('several') && !asked.has('one') },
  })
  for (const note of notesOn(dataSet, isLabelled)) options.onNote?.(note)
  const { validationSettings: settings = usualSettings(student.architecture, stages) } = options
  const measured = validationNames ? paths : options.validation
  const validation =
    measured && (await openValidation(student, { ...options, validation: measured, settings }))
  const identity = await identityOf(participants, {
    ...{ recipe: decided, dataSet, validation, runtime, threads, seed },
  })
  const folder = dryRun ? undefined : await TrainingFolder.open(output, { resume, identity })
  // only whoever looks at the progress wants to know it
  const rate = options.onStep && (await knownGemmRate(runtime, threads))
  const course = new Course({
    ...options,
    ...{ seed, data: paths, stages, participants, identity, runtime, gemmRate: rate, validation, folder },
    ...{ heldOut, trial: dryRun ? trialSteps : undefined },
  })
  const files = await course.run()
  const { validations, reports } = course
  return { files, participants, recipe: decided, log: folder?.log.records ?? [], reports, validations }
}

/**
 * Trains a model as a recipe says, stage after stage, and writes its folder.
 * @param model what the student's weights start as: a shipped name, a folder (see `blvit init` for random weights), or
 *   an id of the Hugging Face hub
 * @param data pictures to learn from: folders, tars, labels.csv; globs too. Labels aren't needed unless a stage's loss is
 *   made of them.
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_DATA`, `BAD_OPTION`, `SHAPE_MISMATCH`, `WRITE_FAILED`, `ENGINE`;
 *   `ABORTED` after a checkpoint was written
 * @example
 * const { reports } = await train('vit-tiny', 'photos/', recipe, { to: 't+48', output: 'my-t48', onStep: console.log })
 */
export async function train(
  model: string,
  data: string | readonly string[],
  recipe: Recipe | DecidedRecipe,
  options: TrainOptions,
): Promise<Training> {
  const { seed = 0, overwrite = false, dryRun = false, output, signal } = options
  const paths = typeof data === 'string' ? [data] : data
  const { files, participants, log, validations, ...trained } = await trainModel(
    model,
    paths,
    recipe,
    options,
  )
  const { source, student, teacher } = participants
  const reports = dryRun
    ? trained.reports.map((report) => forecastOf(report, trained.recipe))
    : trained.reports
  if (!dryRun) {
    const facts = { title: basename(resolve(output)), source: source.name, sourceCard: source.card, seed }
    const card = trainingCard(student.architecture, {
      ...{ ...facts, recipe: trained.recipe, teacher: teacher?.name, data: paths, log },
    })
    await writeModelFolder(output, files, { card, overwrite, signal })
  }
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024
  return { reports, validations, output: dryRun ? undefined : output, peakMemoryBytes }
}
