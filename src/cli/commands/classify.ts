import type { Command } from 'commander'
import { messageAbout } from '../../base/blvit-error.js'
import { visible } from '../../base/visible-text.js'
import type { Classification } from '../../problems/classify.js'
import type { Model } from '../../tasks/model.js'
import { type CliContext, readStandardInput } from '../context.js'
import {
  checkSeed,
  engineNote,
  loadOptions,
  type ModelFlags,
  type ParallelFlags,
  parallelOption,
  runsUnusually,
  withModelOptions,
} from '../model-options.js'
import { positiveInteger } from '../option-values.js'
import { itemProgress } from '../progress.js'
import { type SettingFlags, settingsFrom, withSettings } from '../setting-options.js'

interface Flags extends ModelFlags, SettingFlags, ParallelFlags {
  readonly top: number
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
  )
  withSettings(command)
    .option('-t, --top <n>', 'labels for each picture', positiveInteger, 5)
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
  blvit classify photo.jpg --model owner/name
  curl -s https://example.org/cat.jpg | blvit classify -`,
    )
    .action((args: string[], flags: Flags) => classify(args, flags, context))
}

/** Everything that is to be read and found before a model can be loaded. */
async function preparation(args: readonly string[], flags: Flags) {
  const { expandInputs } = await import('../../data/expand-inputs.js')
  const found = await expandInputs(args, { readStandardInput })
  if (found.pictures.length === 0 && found.errors[0]) throw found.errors[0]
  const settings = await settingsFrom(flags)
  const { load } = await import('../../tasks/node/load.js')
  const { classifyMany } = await import('../../tasks/node/classify-many.js')
  return { ...found, settings, load, classifyMany }
}

async function classify(args: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { startEngineBeside } = await import('../../tasks/node/start-engine.js')
  const { runtime, done } = await startEngineBeside(flags.device, () => preparation(args, flags))
  const { pictures, errors, settings, load, classifyMany } = done
  let failures = errors.length
  for (const error of errors) context.note(`error: ${error.message}`)

  await using model = await load(flags.model, { ...loadOptions(flags, context), runtime })
  const { key } = model.resolve(settings)
  checkSeed(flags.seed, [{ model, settings: [settings] }])
  if (!flags.json || runsUnusually(model))
    context.note(engineNote(model, { setting: key, pictures: pictures.length }))

  const progress = itemProgress(context, { total: pictures.length, unit: 'pictures' })
  try {
    const { top, batch, seed } = flags
    const options = { top, batch, seed, ...settings, signal: context.signal }
    for await (const result of classifyMany(model, pictures, options)) {
      if ('error' in result) {
        failures += 1
        progress.note(`error: ${visible(messageAbout(result.name, result.error.message))}`)
        if (flags.json) context.out(JSON.stringify({ picture: result.name, error: errorJson(result.error) }))
      } else {
        context.out(
          flags.json ? resultJson(result.name, result.classification) : resultText(result, model.scores),
        )
      }
      progress.advance()
    }
  } finally {
    progress.stop()
  }
  if (failures > 0) {
    context.note(`${failures} of ${pictures.length + errors.length} could not be read.`)
    context.exitWith(1)
  }
}

function errorJson({ code, message }: { code: string; message: string }) {
  return { code, message }
}

function resultJson(picture: string, { top, elapsedMs }: Classification): string {
  return JSON.stringify({ picture, top, elapsedMs: Number(elapsedMs.toFixed(3)) })
}

function resultText(
  { name, classification }: { name: string; classification: Classification },
  scores: Model['scores'],
): string {
  // the numbers of a regression are no shares
  const text = (score: number) =>
    scores === 'none' ? score.toPrecision(5).padStart(9) : `${(100 * score).toFixed(1).padStart(5)} %`
  const lines = classification.top.map(
    ({ label, probability }) => `  ${text(probability)}  ${visible(label)}`,
  )
  return [`${visible(name)}  (${classification.elapsedMs.toFixed(1)} ms)`, ...lines].join('\n')
}
