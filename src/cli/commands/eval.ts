import { Command, Option } from 'commander'
import { BlvitError } from '../../base/blvit-error.js'
import type { PictureOutcome } from '../../tasks/node/evaluate/picture-outcome.js'
import { type CliContext, endWith } from '../context.js'
import { evaluationTasks } from '../evaluations/index.js'
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
import { runProgress } from '../progress.js'
import { type ManySettingFlags, manySettingsFrom, withManySettings } from '../setting-options.js'
import { notePart, type ShardFlags, shardRunOf, withShard } from '../shard-options.js'

type Task = 'classify' | keyof typeof evaluationTasks

interface Flags extends EngineFlags, ManySettingFlags, ParallelFlags, ShardFlags {
  readonly data: readonly string[]
  readonly task: Task
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
      .description(
        'Measure how good a model is: top-1, top-5 and agreement on labels, or mIoU and AP on masks.',
      )
      .argument('<model>', 'a shipped name, a folder or a Hugging Face id (owner/name)')
      .requiredOption(
        '--data <paths...>',
        "an image folder (a folder for each class), a folder with labels.csv, WebDataset tars, or CIFAR-10; of masks a file in COCO's form",
      ),
  )
  const withTasks = Object.values(evaluationTasks).reduce((added, task) => task.options(added), command)
  withShard(withManySettings(withTasks, { staged: true }))
    .addOption(
      new Option('--task <what>', 'what the model is to be good at')
        .choices(['classify', ...Object.keys(evaluationTasks)])
        .default('classify'),
    )
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
  instances.json         of --task segment: pictures with masks in COCO's or LVIS's form
Several are read in the order of their names, whichever stands first.
Where the model calls its classes by numbers, the report says what the numbers of the data were taken for.
Pictures that can't be used are named, left out and counted; the exit code is 1 then.

Examples:
  blvit eval vit-tiny --data validation/
  blvit eval my-t48 --data validation/ --keep-ratio 0.25,0.5,1 --teacher vit-tiny
  blvit eval my-t48 --data 'shards/val-*.tar' --resume eval.state --per-image answers.csv --json
  blvit eval vit-tiny --data validation/ --image-size 224,192,176 --first-layers 11,10
  blvit eval my-t48 --data validation/ --keep-mass 0.7,0.8 --cascade 144:0.8,0.25:0.8
  blvit eval my-t48 --data validation/ --shard 0/5 --part 0.part
  blvit eval my-sam --task segment --data instances.json --prompts point,box --resume masks.state`,
    )
    .action(async (reference: string, flags: Flags) => {
      checkTask(command, flags.task)
      if (flags.task === 'classify') await evaluateModel(reference, flags, context)
      else await evaluationTasks[flags.task].run(reference, flags, context)
    })
}

/** Options that every task honours. */
const ofEveryTask = ['data', 'task', 'device', 'dtype', 'threads', 'offline']

/** @throws BlvitError `BAD_OPTION` for an option that only another task honours */
function checkTask(command: Command, task: Task): void {
  const own = new Set(Object.values(evaluationTasks).flatMap(({ options }) => optionNames(options)))
  const isHonoured = (name: string) =>
    task === 'classify' ? !own.has(name) : [...ofEveryTask, ...evaluationTasks[task].honours].includes(name)
  for (const option of command.options) {
    const name = option.attributeName()
    if (command.getOptionValueSource(name) !== 'cli' || isHonoured(name)) continue
    throw new BlvitError(
      'BAD_OPTION',
      `${option.long} is nothing that --task ${task} would honour. Leave it out.`,
    )
  }
}

/** What a task adds to a command. */
function optionNames(options: (typeof evaluationTasks)[keyof typeof evaluationTasks]['options']): string[] {
  return options(new Command()).options.map((option) => option.attributeName())
}

async function evaluateModel(reference: string, flags: Flags, context: CliContext): Promise<void> {
  const { assertEnding, assertNotInput, checkWritable } = await import('../../files/output-files.js')
  const { data, perImage, batch, limit, resume, seed, json } = flags
  const run = shardRunOf(flags, { '--json': json, '--per-image': perImage, '--resume': resume })
  if (perImage !== undefined) {
    assertEnding('--per-image', perImage, '.csv')
    await checkWritable(perImage)
  }
  if (run) await checkWritable(run.resume)
  const { load } = await import('../../tasks/node/load.js')
  const settings = await manySettingsFrom(flags)
  const outputs = [perImage, resume, run?.resume].filter((path) => typeof path === 'string')
  for (const path of outputs) await assertNotInput(path, data)
  await using model = await load(reference, loadOptions(flags, context))
  await using teacher =
    flags.teacher === undefined ? undefined : await load(flags.teacher, loadOptions(flags, context))
  for (const path of outputs) await assertNotInput(path, [...model.readFrom, ...(teacher?.readFrom ?? [])])
  checkSeed(flags.seed, [
    { model, settings: settings ?? [{}] },
    ...(teacher ? [{ model: teacher, settings: [{}] }] : []),
  ])

  const { evaluate } = await import('../../tasks/node/evaluate/evaluate.js')
  const { failureTeller, printEvaluation } = await import('../evaluation-report.js')
  const outcomes: PictureOutcome[] = []
  const progress = runProgress(context)
  const tellFailure = failureTeller(progress.note)
  const names = {
    ...{ model: model.name, data },
    ...{ teacher: teacher?.name, teacherSetting: teacher?.resolve({}).key },
  }
  try {
    const { failures, pictures } = await evaluate(model, data, {
      ...{ settings, teacher, batch, limit, resume, seed, signal: context.signal, ...run },
      onStart: (pictures) => context.note(engineNote(model, { pictures })),
      onPicture: (outcome) => {
        outcomes.push(outcome)
        tellFailure(outcome)
      },
      onProgress: progress.show,
      onResult: async (evaluation) => {
        // a bar makes room for the report
        progress.stop()
        if (run) return
        await printEvaluation({ evaluation, outcomes, names, labels: model.labels }, flags, context)
      },
    })
    if (run) notePart(context, run, { pictures, failures: failures.length })
    else endWith(context, { failures: failures.length, of: pictures })
  } finally {
    progress.stop()
  }
}
