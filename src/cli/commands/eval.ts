import type { Command } from 'commander'
import { visible } from '../../base/visible-text.js'
import type { Model } from '../../tasks/model.js'
import type { EvaluateOptions, Evaluation } from '../../tasks/node/evaluate/evaluate.js'
import type { PictureOutcome } from '../../tasks/node/evaluate/picture-outcome.js'
import type { CliContext } from '../context.js'
import {
  checkSeed,
  type EngineFlags,
  engineNote,
  loadOptions,
  type ParallelFlags,
  parallelOption,
  withEngineOptions,
} from '../model-options.js'
import { positiveInteger } from '../option-values.js'
import { itemProgress, type Progress } from '../progress.js'
import { type ManySettingFlags, manySettingsFrom, withManySettings } from '../setting-options.js'

interface Flags extends EngineFlags, ManySettingFlags, ParallelFlags {
  readonly data: readonly string[]
  readonly teacher?: string
  readonly perImage?: string
  readonly batch?: number
  readonly limit?: number
  readonly resume?: string | true
  readonly json?: boolean
}

/** `blvit eval` */
export function evalCommand(program: Command, context: CliContext): void {
  const command = withEngineOptions(
    program
      .command('eval')
      .description('Count how often a model is right on labelled pictures: top-1, top-5, agreement.')
      .argument('<model>', 'a shipped name, a folder or a Hugging Face id (owner/name)')
      .requiredOption(
        '--data <paths...>',
        'an image folder (a folder for each class), a folder with labels.csv, WebDataset tars, or CIFAR-10',
      ),
  )
  withManySettings(command)
    .option('--teacher <model>', 'compare with the answers of this model')
    .option('--per-image <file.csv>', 'write what the model said of each picture')
    .option('-b, --batch <n>', 'pictures per run of an engine (default: as is fastest)', positiveInteger)
    .addOption(parallelOption())
    .option('--limit <n>', 'only the first n pictures', positiveInteger)
    .option(
      '--resume [state file]',
      'keep what is done, and go on from there after a kill (default file: in the cache, until the end)',
    )
    .option('--json', 'the report as one JSON object')
    .addHelpText(
      'after',
      `
Data:
  class/picture.jpg      class is a number from 0, a label of the model, or a WordNet id (n01440764)
  labels.csv             columns file,label (or ; or tabs); files relative to it, labels as above, -1 or nothing: no label
  key.jpg + key.cls      in a .tar, also key.json {"label": …} or key.txt; globs and several tars
Where the model calls its classes by numbers, the report says what the numbers of the data were taken for.
Pictures that can't be used are named, left out and counted; the exit code is 1 then.

Examples:
  blvit eval vit-tiny --data validation/
  blvit eval my-t48 --data validation/ --keep-ratio 0.25,0.5,1 --teacher vit-tiny
  blvit eval my-t48 --data 'shards/val-*.tar' --resume eval.state --per-image answers.csv --json`,
    )
    .action((reference: string, flags: Flags) => evaluateModel(reference, flags, context))
}

async function evaluateModel(reference: string, flags: Flags, context: CliContext): Promise<void> {
  const { assertEnding, assertNotInput, checkWritable, writeWholeFile } = await import(
    '../../files/output-files.js'
  )
  if (flags.perImage !== undefined) {
    assertEnding('--per-image', flags.perImage, '.csv')
    await checkWritable(flags.perImage)
  }
  const { load } = await import('../../tasks/node/load.js')
  const settings = await manySettingsFrom(flags)
  for (const path of outputsOf(flags)) await assertNotInput(path, flags.data)
  await using model = await load(reference, loadOptions(flags, context))
  // The image size is the model's; a teacher sees its own.
  const { imageSize: _, ...teacherOptions } = loadOptions(flags, context)
  await using teacher = flags.teacher === undefined ? undefined : await load(flags.teacher, teacherOptions)
  for (const path of outputsOf(flags))
    await assertNotInput(path, [...model.readFrom, ...(teacher?.readFrom ?? [])])
  checkSeed(flags.seed, [
    { model, settings: settings ?? [{}] },
    ...(teacher ? [{ model: teacher, settings: [{}] }] : []),
  ])

  const outcomes: PictureOutcome[] = []
  const evaluation = await withProgress(model, flags, context, {
    ...{ settings, teacher },
    onPicture: (outcome) => outcomes.push(outcome),
    onResult: async (result) => {
      if (flags.perImage !== undefined) {
        const { pictureCsv } = await import('../../tasks/node/evaluate/picture-csv.js')
        const settings = result.results.map(({ setting }) => setting)
        const csv = pictureCsv(outcomes, { settings, labels: model.labels })
        await writeWholeFile(flags.perImage, csv)
      }
      const { evaluationJson, evaluationText, timingText } = await import('../evaluation-report.js')
      const names = {
        ...{ model: model.name, data: flags.data },
        ...{ teacher: teacher?.name, teacherSetting: teacher?.resolve({}).key },
      }
      await context.out(flags.json ? evaluationJson(result, names) : evaluationText(result, names))
      for (const note of result.notes) context.note(note)
      context.note(timingText(result.timing))
    },
  })
  const { failures, pictures } = evaluation
  if (failures.length > 0) {
    context.note(`${failures.length} of ${pictures} pictures could not be used.`)
    context.exitWith(1)
  }
}

/** Files that the command writes. */
function outputsOf({ perImage, resume }: Flags): readonly string[] {
  return [perImage, resume].filter((path) => typeof path === 'string')
}

/** More complaints than these would hide everything else; the report has them all. */
const shownFailures = 20

async function withProgress(
  model: Model,
  { data, batch, limit, resume, seed }: Flags,
  context: CliContext,
  {
    settings,
    teacher,
    onPicture,
    onResult,
  }: Pick<EvaluateOptions, 'settings' | 'teacher' | 'onPicture' | 'onResult'>,
): Promise<Evaluation> {
  const { evaluate } = await import('../../tasks/node/evaluate/evaluate.js')
  let progress: Progress | undefined
  let failures = 0
  try {
    return await evaluate(model, data, {
      ...{ settings, teacher, batch, limit, resume, seed, signal: context.signal },
      onStart: (pictures) => context.note(engineNote(model, { pictures })),
      onResult: async (evaluation) => {
        // A bar makes room for the report; it can be stopped only once.
        progress?.stop()
        progress = undefined
        await onResult?.(evaluation)
      },
      onPicture: (outcome) => {
        onPicture?.(outcome)
        if (!outcome.error) return
        failures += 1
        const note = progress?.note ?? context.note
        if (failures <= shownFailures) note(`error: ${visible(outcome.error.message)}`)
        if (failures === shownFailures + 1)
          note('error: more pictures fail; --json and --per-image list them all')
      },
      onProgress: ({ done, total, resumed }) => {
        if (!progress && resumed > 0) context.note(`going on after ${resumed} pictures that are done`)
        // The clock starts with the first batch that is done: before it there was nothing to tell.
        progress ??= itemProgress(context, { total, unit: 'pictures', start: done })
        progress.moveTo(done, total)
      },
    })
  } finally {
    progress?.stop()
  }
}
