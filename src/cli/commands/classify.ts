import type { Command } from 'commander'
import { messageAbout } from '../../base/blvit-error.js'
import { visible } from '../../base/visible-text.js'
import type { PictureInput } from '../../data/expand-inputs.js'
import type { ClassifyOptions, Model } from '../../tasks/model.js'
import type { ManyOptions } from '../../tasks/node/answer-many.js'
import { printClassification } from '../classification-report.js'
import { type CliContext, endWith, readStandardInput } from '../context.js'
import {
  checkSeed,
  eitherModel,
  engineNote,
  loadOptions,
  type ModelFlags,
  modelOf,
  type ParallelFlags,
  parallelOption,
  runsUnusually,
  withModelOptions,
} from '../model-options.js'
import { positiveInteger, probability } from '../option-values.js'
import { itemProgress, runProgress } from '../progress.js'
import { type SettingFlags, settingsFrom, withSettings } from '../setting-options.js'
import {
  assertAllFound,
  notePart,
  type ShardFlags,
  type ShardRun,
  shardRunOf,
  withShard,
} from '../shard-options.js'

interface Flags extends ModelFlags, SettingFlags, ParallelFlags, ShardFlags {
  readonly top: number
  readonly threshold?: number
  readonly batch?: number
  readonly json?: boolean
}

/** `blvit classify` */
export function classifyCommand(program: Command, context: CliContext): void {
  const command = withModelOptions(
    program
      .command('classify')
      .description('Say what is on pictures: labels, probabilities, time.')
      .argument('<pictures...>', 'files, folders, globs, URLs, or - for standard input'),
    eitherModel,
  )
  withShard(withSettings(command, { staged: true }))
    .option('-t, --top <n>', 'labels for each picture', positiveInteger, 5)
    .option(
      '--threshold <probability>',
      'only labels that reach it; "none of them" where no class does, instead of a guess',
      probability,
    )
    .option(
      '-b, --batch <n>',
      'pictures per run of an engine (default: 1, or as is fastest for many)',
      positiveInteger,
    )
    .addOption(parallelOption())
    .option('--json', 'one JSON object for each picture, one a line')
    .addHelpText(
      'after',
      `
Examples:
  blvit classify photo.jpg
  blvit classify holiday/ --top 1 --json
  blvit classify archive/ --parallel 2 --json > labels.jsonl
  blvit classify photo.jpg --keep-ratio 0.25
  blvit classify photo.jpg --keep-mass 0.6
  blvit classify holiday/ -m vit-tiny --cascade 144:0.8
  blvit classify photo.jpg --model owner/name
  blvit classify photo.jpg --model mine --threshold 0.6
  blvit classify holiday/ --shard 0/5 --part 0.part
  curl -s https://example.org/cat.jpg | blvit classify -`,
    )
    .action((args: string[], flags: Flags) => classify(args, flags, context))
}

/** Everything that is to be read and found before a model can be loaded. */
async function preparation(args: readonly string[], flags: Flags, run: ShardRun | undefined) {
  const { expandInputs } = await import('../../data/expand-inputs.js')
  const found = await expandInputs(args, { readStandardInput })
  if (found.pictures.length === 0 && found.errors[0]) throw found.errors[0]
  assertAllFound(run, found.errors)
  const settings = await settingsFrom(flags)
  const { load } = await import('../../tasks/node/load.js')
  const { classifyMany } = await import('../../tasks/node/classify-many.js')
  return { ...found, settings, load, classifyMany }
}

async function classify(args: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const run = shardRunOf(flags, { '--json': flags.json })
  const { startEngineBeside } = await import('../../tasks/node/start-engine.js')
  const { runtime, done } = await startEngineBeside(flags.device, () => preparation(args, flags, run))
  const { pictures, errors, settings, load, classifyMany } = done
  let failures = errors.length
  for (const error of errors) context.note(`error: ${error.message}`)

  await using model = await load(modelOf(flags, settings), {
    ...loadOptions(flags, context),
    runtime,
  })
  const { key } = model.resolve(settings)
  checkSeed(flags.seed, [{ model, settings: [settings] }])
  if (!flags.json || runsUnusually(model))
    context.note(engineNote(model, { setting: key, pictures: pictures.length }))

  const { top, threshold, batch, seed } = flags
  const options = { top, threshold, batch, seed, ...settings, signal: context.signal }
  if (run) return await classifyShard(model, pictures, { ...options, ...run }, context)
  const progress = itemProgress(context, { total: pictures.length, unit: 'pictures' })
  try {
    const report = { json: flags.json, scores: model.scores }
    for await (const result of classifyMany(model, pictures, options)) {
      if ('error' in result) failures += 1
      await printClassification(result, report, { out: context.out, note: progress.note })
      progress.advance()
    }
  } finally {
    progress.stop()
  }
  endWith(context, { failures, of: pictures.length + errors.length })
}

async function classifyShard(
  model: Model,
  pictures: readonly PictureInput[],
  options: ClassifyOptions & ManyOptions & ShardRun,
  context: CliContext,
): Promise<void> {
  const { assertNotInput } = await import('../../files/output-files.js')
  const { keptClassifications } = await import('../../tasks/node/kept-classifications.js')
  const sources = pictures.flatMap(({ source }) => (typeof source === 'string' ? [source] : []))
  await assertNotInput(options.resume, [...sources, ...model.readFrom])
  const progress = runProgress(context)
  const counts = { pictures: 0, failures: 0 }
  try {
    for await (const { answers, ...state } of keptClassifications(model, pictures, options)) {
      progress.show(state)
      for (const picture of answers) {
        counts.pictures += 1
        if (!('error' in picture)) continue
        counts.failures += 1
        progress.note(`error: ${visible(messageAbout(picture.name, picture.error.message))}`)
      }
    }
  } finally {
    progress.stop()
  }
  notePart(context, options, counts)
}
