import { type Command, InvalidArgumentError, Option } from 'commander'
import { BlvitError } from '../../base/blvit-error.js'
import type { BenchOptions, BenchProgress } from '../../bench/bench.js'
import type { SpeedGoal } from '../../bench/find-keep-ratio.js'
import type { CliContext } from '../context.js'
import { devices, precisions } from '../model-options.js'
import { commaSeparated, keepRatio, oneOf, positiveInteger } from '../option-values.js'
import { itemProgress, type Progress } from '../progress.js'

interface Flags {
  readonly batch: readonly number[]
  readonly keepRatio?: readonly number[]
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
  readonly pictures?: string
}

/** `20ms` or `1.5x`. */
function speedGoal(text: string): SpeedGoal {
  const [, number, unit] = /^([\d.]+)(ms|x)$/.exec(text) ?? []
  const value = Number(number)
  if (!(value > 0))
    throw new InvalidArgumentError('It must be a time such as 20ms or a speed-up such as 1.5x.')
  return unit === 'ms' ? { ms: value } : { speedup: value }
}

/** Keep ratios that a plot shows if none are given. */
const plottedRatios = [0.25, 0.5, 0.75, 1]

/** `blvit bench` */
export function benchCommand(program: Command, context: CliContext): void {
  program
    .command('bench')
    .description('Measure how fast models are here, against plain ViTs and against matrix products alone.')
    .argument(
      '[models...]',
      'shipped names, folders or hub ids; or configurations (b+t), which get random weights',
    )
    .option('-b, --batch <n,…>', 'pictures in a run', commaSeparated(positiveInteger), [1])
    .option(
      '-r, --keep-ratio <r,…>',
      "shares of patches for the big blocks (default: each model's own)",
      commaSeparated(keepRatio),
    )
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
    .option('--plot <file.svg>', 'draw latency over keep ratio, theory beside it')
    .addOption(
      new Option('--profile', 'tell instead where the time goes, by scope and operator').conflicts([
        'csv',
        'plot',
        'rounds',
      ]),
    )
    .addOption(
      new Option('--find <goal>', 'find instead the keep ratio that is fast enough here: 20ms, or 1.5x')
        .argParser(speedGoal)
        .conflicts(['csv', 'plot', 'profile', 'keepRatio', 'rounds']),
    )
    .addOption(
      new Option('--against <library>', 'compare instead the way from picture files to labels with a library')
        .choices(['transformers.js'])
        // transformers.js runs on the processor in fp32 there, so that is what can be compared.
        .conflicts(['csv', 'plot', 'profile', 'find', 'keepRatio', 'batch', 'device', 'dtype']),
    )
    .addOption(
      new Option(
        '--train',
        'measure instead training steps (forward, backward, AdamW); takes no models',
      ).conflicts(['csv', 'plot', 'find', 'against', 'keepRatio', 'batch', 'device', 'dtype']),
    )
    .option('--pictures <folder>', 'with --against: the pictures (default: the examples)')
    .option('--json', 'everything as JSON')
    .addHelpText(
      'after',
      `
Every model runs alone in its own process; all have their turn in each round. Runs that had to wait for a busy
processor are left out. A plain ViT of the same sizes is added for every model that saves work.

  GEMM      the rate that large matrix products alone reach on this machine, in the same run
  speed-up  time of the plain ViT ÷ time of the model; in theory: the same of their multiply-adds
  η         speed-up ÷ theory: how much of the saved work is saved time

Examples:
  blvit bench b+t s+96 t+48 --batch 1,8 --threads 2
  blvit bench t+48 --plot speed.svg --csv speed.csv
  blvit bench b+t --profile
  blvit bench ./my-t48 --find 1.5x
  blvit bench vit-tiny --against transformers.js --pictures photos
  blvit bench --train --threads 2`,
    )
    .action((models: readonly string[], flags: Flags, command: Command) => {
      if (flags.pictures !== undefined && !flags.against)
        command.error('error: --pictures is for --against: all else is measured on noise')
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

async function benchModels(models: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { bench } = await import('../../bench/bench.js')
  const { benchText } = await import('../bench-report.js')
  const { checkWritable, writeWholeFile } = await import('../../files/output-files.js')
  for (const path of [flags.csv, flags.plot]) if (path !== undefined) await checkWritable(path)
  const keepRatios = flags.keepRatio ?? (flags.plot === undefined ? undefined : plottedRatios)
  if (flags.plot !== undefined) {
    const { checkPlottable } = await import('../../bench/plot.js')
    await checkPlottable(models, { keepRatios })
  }
  const { onProgress, stop } = benchProgress(context)
  const options: BenchOptions = {
    batches: flags.batch,
    keepRatios,
    threads: flags.threads,
    devices: flags.device,
    precisions: flags.dtype,
    rounds: flags.rounds,
    signal: context.signal,
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
      `${option} ${values.join(',')} names ${values.length} settings; --profile, --find, --against and --train ` +
        'measure one. Name one, or leave them out to see several beside each other.',
      { option, values },
    )
  }
  return values[0]
}

/** What `--profile` and `--find` measure. */
function oneSetting({ batch, keepRatio: ratios, threads, device, dtype }: Flags, context: CliContext) {
  return {
    batch: only('--batch', batch),
    keepRatio: only('--keep-ratio', ratios),
    threads: only('--threads', threads),
    device: only('--device', device) ?? 'auto',
    precision: only('--dtype', dtype) ?? 'fp32',
    signal: context.signal,
  }
}

async function profileModels(models: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { profile } = await import('../../bench/profile.js')
  const { profileText } = await import('../bench-report.js')
  const profiles = await profile(models, oneSetting(flags, context))
  context.out(flags.json ? JSON.stringify(profiles) : profiles.map(profileText).join('\n\n'))
}

async function findForModels(
  models: readonly string[],
  goal: SpeedGoal,
  flags: Flags,
  context: CliContext,
): Promise<void> {
  const { findKeepRatio } = await import('../../bench/find-keep-ratio.js')
  const { foundText } = await import('../bench-report.js')
  const found = await findKeepRatio(models, goal, oneSetting(flags, context))
  context.out(flags.json ? JSON.stringify(found) : found.map(foundText).join('\n'))
}

async function compareModels(models: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { benchAgainst } = await import('../../bench/against.js')
  const { examplePictures } = await import('../../data/example-pictures.js')
  const { picturesIn } = await import('../../data/expand-inputs.js')
  const { againstText } = await import('../bench-report.js')
  const pictures = flags.pictures === undefined ? await examplePictures() : await picturesIn(flags.pictures)
  const { rounds, signal } = { ...flags, signal: context.signal }
  const options = { pictures, rounds, threads: only('--threads', flags.threads), signal }
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
