import { type Command, InvalidArgumentError, Option } from 'commander'
import { BlvitError } from '../../base/blvit-error.js'
import type { BenchOptions } from '../../bench/bench.js'
import type { SpeedGoal } from '../../bench/find-setting.js'
import type { BenchProgress } from '../../bench/rounds.js'
import type { Settings } from '../../settings/settings.js'
import { settingNames } from '../../settings/settings.js'
import type { CliContext } from '../context.js'
import { devices, offlineOption, precisions } from '../model-options.js'
import { commaSeparated, oneOf, positiveInteger, positiveIntegerOr } from '../option-values.js'
import { downloadProgress, itemProgress, type Progress } from '../progress.js'
import { type ManySettingFlags, manySettingsFrom, withManySettings } from '../setting-options.js'

interface Flags extends ManySettingFlags {
  readonly batch: readonly (number | 'many')[]
  readonly threads?: readonly number[]
  readonly device: readonly (typeof devices)[number][]
  readonly dtype: readonly (typeof precisions)[number][]
  readonly rounds: number
  readonly json?: boolean
  readonly csv?: string
  readonly plot?: string
  readonly profile?: boolean
  readonly train?: boolean
  readonly find?: SpeedGoal
  readonly against?: 'transformers.js'
  readonly data?: string
  readonly offline?: boolean
}

/** `20ms` or `1.5x`. */
function speedGoal(text: string): SpeedGoal {
  const [, number, unit] = /^([\d.]+)(ms|x)$/.exec(text) ?? []
  const value = Number(number)
  if (!(value > 0))
    throw new InvalidArgumentError('It must be a time such as 20ms or a speed-up such as 1.5x.')
  return unit === 'ms' ? { ms: value } : { speedup: value }
}

/** `blvit bench` */
export function benchCommand(program: Command, context: CliContext): void {
  const command = program
    .command('bench')
    .description('Measure how fast models are here, against plain ViTs and against matrix products alone.')
    .argument(
      '[models...]',
      'shipped names, folders or hub ids; or configurations (b+t), which get random weights',
    )
    .addOption(
      new Option(
        '-b, --batch <n,…>',
        'pictures in a run; many: as many pictures are run, on an engine for each processor',
      )
        .argParser(commaSeparated(positiveIntegerOr('many')))
        .default([1], '1'),
    )
  withManySettings(command)
    .option(
      '--threads <n,…>',
      'threads of the engine (default: as it chooses)',
      commaSeparated(positiveInteger),
    )
    .addOption(
      new Option('-d, --device <device,…>', 'where to run')
        .argParser(commaSeparated(oneOf(devices)))
        .default(['auto'], 'auto'),
    )
    .addOption(
      new Option('--dtype <precision,…>', 'what to compute in: fp32, fp16 (GPUs), int8 (linear maps)')
        .argParser(commaSeparated(oneOf(precisions)))
        .default(['fp32'], 'fp32'),
    )
    .option('--rounds <n>', 'how often each model has its turn', positiveInteger, 10)
    .option('--csv <file>', 'write the table for spreadsheets too')
    .option('--plot <file.svg>', 'draw time over the work that each setting leaves, theory beside it')
    .addOption(
      new Option('--profile', 'tell instead where the time goes, by scope and operator').conflicts([
        'csv',
        'plot',
        'rounds',
      ]),
    )
    .addOption(
      new Option(
        '--find <goal>',
        'find instead what is fast enough here, 20ms or 1.5x: turns the keep ratio, or the number of the setting given',
      )
        .argParser(speedGoal)
        .conflicts(['csv', 'plot', 'profile', 'rounds']),
    )
    .addOption(
      new Option('--against <library>', 'compare instead the way from picture files to labels with a library')
        .choices(['transformers.js'])
        // transformers.js runs on the processor in fp32 there, so that is what can be compared.
        .conflicts(['csv', 'plot', 'profile', 'find', 'batch', 'device', 'dtype', ...settingNames]),
    )
    .addOption(
      new Option(
        '--train',
        'measure instead training steps (forward, backward, AdamW); takes no models',
      ).conflicts(['csv', 'plot', 'find', 'against', 'batch', 'device', 'dtype', 'offline', ...settingNames]),
    )
    .option('--data <folder>', 'with --against: the pictures (default: the examples)')
    .addOption(offlineOption())
    .option('--json', 'everything as JSON')
    .addHelpText(
      'after',
      `
Every model runs alone in its own process; all have their turn in each round. Runs that had to wait for a busy
processor are left out. Several settings are measured beside each other. What is compared with is added: a plain ViT of
the same sizes for a big.LITTLE model, the model with all its tokens for one with --reduce.

  many      pictures a second of engines with one thread each, one a processor: how classify, embed and eval run many
  GEMM      the rate that large matrix products alone reach on this machine, in the same run
  speed-up  time with all tokens ÷ time of the model; in theory: the same of the multiply-adds that the engine computes
            (of the last block what the head reads; papers count all of it, as blvit analyze does)
  η         speed-up ÷ theory: how much of the saved work is saved time

Examples:
  blvit bench b+t s+96 t+48 --batch 1,8 --threads 2
  blvit bench vit-tiny blvit-tiny --batch 1,8,many --dtype fp32,int8
  blvit bench t+48 --plot speed.svg --csv speed.csv
  blvit bench vit-tiny --reduce evit:0.5,tome:8 --batch 1,8
  blvit bench vit-tiny --image-size 192,176 --first-layers 10 --reduce evit:0.7
  blvit bench b+t --profile
  blvit bench ./my-t48 --find 1.5x
  blvit bench vit-tiny --find 1.5x --reduce evit:0.7
  blvit bench vit-tiny --against transformers.js --data photos
  blvit bench --train --threads 2`,
    )
    .action((models: readonly string[], flags: Flags, command: Command) => {
      if (flags.data !== undefined && !flags.against)
        command.error('error: --data is for --against: all else is measured on noise')
      if (flags.train) {
        if (models.length > 0) command.error('error: --train measures steps of its own and takes no models')
        return benchTrainingSteps(flags, context)
      }
      if (models.length === 0) command.error("error: missing required argument 'models'")
      if (flags.against) return compareModels(models, flags, context)
      if (flags.profile) return profileModels(models, flags, context)
      return flags.find
        ? findForModels(models, flags.find, flags, context)
        : benchModels(models, flags, context)
    })
}

/** How the models come from the hub. */
function hubOptions({ offline }: Flags, context: CliContext) {
  return { offline, signal: context.signal, onDownload: downloadProgress(context) }
}

async function benchModels(models: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { bench } = await import('../../bench/bench.js')
  const { benchText } = await import('../bench-report.js')
  const { checkWritable, writeWholeFile } = await import('../../files/output-files.js')
  for (const path of [flags.csv, flags.plot]) if (path !== undefined) await checkWritable(path)
  const hub = hubOptions(flags, context)
  let settings = await manySettingsFrom(flags)
  if (flags.plot !== undefined) {
    const { settingsToPlot } = await import('../../bench/plot.js')
    settings = await settingsToPlot(models, settings, hub)
  }
  const { onProgress, stop } = benchProgress(context)
  const options: BenchOptions = {
    batches: flags.batch,
    settings,
    threads: flags.threads,
    devices: flags.device,
    precisions: flags.dtype,
    rounds: flags.rounds,
    ...hub,
  }
  const report = await bench(models, { ...options, onProgress }).finally(stop)
  context.out(flags.json ? JSON.stringify(report) : benchText(report))
  const write = async (path: string, text: string) => {
    await writeWholeFile(path, text)
    context.note(`Wrote ${path}.`)
  }
  if (flags.csv !== undefined) {
    const { benchCsv } = await import('../../bench/csv.js')
    await write(flags.csv, benchCsv(report))
  }
  if (flags.plot !== undefined) {
    const { benchPlot } = await import('../../bench/plot.js')
    await write(flags.plot, benchPlot(report))
  }
}

async function benchTrainingSteps(flags: Flags, context: CliContext): Promise<void> {
  const { trainingBenchText, trainingProfileText } = await import('../bench-training-report.js')
  const { rounds, json, signal } = { ...flags, signal: context.signal }
  const threads = only('--threads', flags.threads)
  if (flags.profile) {
    const { profileTraining } = await import('../../bench/training/profile-training.js')
    const profiles = await profileTraining({ threads, signal })
    context.out(json ? JSON.stringify(profiles) : profiles.map(trainingProfileText).join('\n\n'))
    return
  }
  const { benchTraining } = await import('../../bench/training/bench-training.js')
  const { onProgress, stop } = benchProgress(context)
  const report = await benchTraining({ threads, rounds, signal, onProgress }).finally(stop)
  context.out(json ? JSON.stringify(report) : trainingBenchText(report))
}

/** The value of an option that can have several. @throws BlvitError `BAD_OPTION` if it does */
function only<T>(option: string, values: readonly T[] = []): T | undefined {
  if (values.length > 1) {
    throw new BlvitError(
      'BAD_OPTION',
      `${option} ${values.join(',')} names ${values.length} settings; ${measureOne}`,
      { option, values },
    )
  }
  return values[0]
}

const measureOne =
  '--profile, --find, --against and --train measure one. Name one, or leave them out to see several beside each other.'

function severalSettings(settings: readonly Settings[]): BlvitError {
  const values = settings.flatMap((one) => Object.values(one))
  return new BlvitError('BAD_OPTION', `${values.join(', ')} are ${values.length} settings; ${measureOne}`, {
    values,
  })
}

/** @throws BlvitError `BAD_OPTION` for `many` */
function oneCount(batch: number | 'many' | undefined): number | undefined {
  if (batch !== 'many') return batch
  const message =
    '--profile and --find measure runs of one engine: --batch many is none. Give a number of pictures.'
  throw new BlvitError('BAD_OPTION', message)
}

/** What `--profile` and `--find` measure. */
async function oneSetting(flags: Flags, context: CliContext) {
  const { batch, threads, device, dtype } = flags
  const settings = await manySettingsFrom(flags)
  if (settings && settings.length > 1) throw severalSettings(settings)
  return {
    batch: oneCount(only('--batch', batch)),
    settings: settings?.[0],
    threads: only('--threads', threads),
    device: only('--device', device) ?? 'auto',
    precision: only('--dtype', dtype) ?? 'fp32',
    ...hubOptions(flags, context),
  }
}

async function profileModels(models: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { profile } = await import('../../bench/profile.js')
  const { profileText } = await import('../bench-report.js')
  const profiles = await profile(models, await oneSetting(flags, context))
  context.out(flags.json ? JSON.stringify(profiles) : profiles.map(profileText).join('\n\n'))
}

async function findForModels(
  models: readonly string[],
  goal: SpeedGoal,
  flags: Flags,
  context: CliContext,
): Promise<void> {
  const { findSetting } = await import('../../bench/find-setting.js')
  const { foundText } = await import('../bench-report.js')
  const found = await findSetting(models, goal, await oneSetting(flags, context))
  context.out(flags.json ? JSON.stringify(found) : found.map(foundText).join('\n'))
}

async function compareModels(models: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { benchAgainst } = await import('../../bench/against.js')
  const { examplePictures, picturesIn } = await import('../../data/expand-inputs.js')
  const { againstText } = await import('../bench-report.js')
  const pictures = flags.data === undefined ? await examplePictures() : await picturesIn(flags.data)
  const options = {
    ...{ pictures, rounds: flags.rounds, threads: only('--threads', flags.threads) },
    ...hubOptions(flags, context),
  }
  for (const model of models) {
    const report = await benchAgainst(model, options)
    context.out(flags.json ? JSON.stringify(report) : againstText(report))
  }
}

/** Says what is being loaded and warmed up, then counts turns. */
function benchProgress(context: CliContext) {
  let last = ''
  let turns: Progress | undefined
  const onProgress = ({ doing, what, done, total }: BenchProgress) => {
    if (doing === 'measuring') {
      turns ??= itemProgress(context, { total, unit: 'turns' })
      if (done > 0) turns.advance()
    } else if (last !== `${doing} ${what}`) {
      last = `${doing} ${what}`
      context.note(last)
    }
  }
  return { onProgress, stop: () => turns?.stop() }
}
