import { type Command, Option } from 'commander'
import { messageAbout } from '../../base/blvit-error.js'
import { visible } from '../../base/visible-text.js'
import type { FinetuneProgress } from '../../finetune/finetune-options.js'
import type { CliContext } from '../context.js'
import { deviceOption, type EngineFlags, offlineOption } from '../model-options.js'
import { positiveInteger, seed, share } from '../option-values.js'
import { downloadProgress, itemProgress, type Progress } from '../progress.js'
import { countedPictures, percent } from '../quantities.js'
import { type RunSettingFlags, settingsFrom, withoutSettings, withRunSettings } from '../setting-options.js'
import type { TrainingProgress } from '../training-progress.js'

interface Flags extends Pick<EngineFlags, 'device' | 'threads' | 'offline'>, RunSettingFlags {
  readonly model: string
  readonly data: readonly string[]
  readonly output: string
  readonly report?: string
  readonly balance: boolean
  readonly folds: number
  readonly cache: boolean
  readonly layers: 'head' | 'all'
  readonly epochs?: number
  readonly resume?: boolean
  readonly workers?: number
  readonly cropRatio: number
  readonly batch?: number
  readonly seed: number
  readonly overwrite?: boolean
  readonly json?: boolean
}

/** More complaints than these would hide everything else; the report has them all. */
const shownFailures = 20

/** `blvit finetune` */
export function finetuneCommand(program: Command, context: CliContext): void {
  const command = program
    .command('finetune')
    .description('Make a classifier of your own classes from labelled pictures, and say how good it is.')
    .requiredOption(
      '--data <paths...>',
      'a folder with a folder of pictures for each class, a folder with labels.csv, WebDataset tars, or CIFAR-10',
    )
    .requiredOption('-o, --output <folder>', 'where to write the model and its report')
    .option(
      '-m, --model <model>',
      'what to start from: a shipped name, a folder, a Hugging Face id',
      'vit-tiny',
    )
  withRunSettings(command)
    .addOption(
      new Option('--layers <which>', 'what learns: a new head only, or from there on all of the model')
        .choices(['head', 'all'])
        .default('head'),
    )
    .option(
      '--epochs <n>',
      'of --layers all: times that each picture is seen at most (default: 10)',
      positiveInteger,
    )
    .option('--workers <n>', 'of --layers all: threads that decode and augment pictures', positiveInteger)
    .option('--resume', 'of --layers all: go on from the newest checkpoint')
    .option('--crop-ratio <share>', "how much of a picture's shorter side the model sees", share, 1)
    .option('--report <folder>', "write the report there instead of into the model's folder")
    .option('--no-balance', 'let each picture count the same instead of each class')
    .option('--folds <n>', 'parts of the cross-validation that says how good it is', positiveInteger, 5)
    .option('--no-cache', "don't keep features for the next time")
    .option('-b, --batch <n>', 'pictures per run of an engine (default: as is fastest)', positiveInteger)
    .option('--seed <n>', 'of how pictures are shared out and, with --layers all, of the training', seed, 0)
    .addOption(deviceOption())
    .option('--threads <n>', 'threads of the engine (default: as many as it thinks good)', positiveInteger)
    .option('--overwrite', 'replace the model if it is there')
    .addOption(offlineOption())
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Data:
  cat/1.jpg dog/2.jpg    the names of the folders are the classes
  labels.csv             columns file,label; files relative to it
  several labels         file,labels with cat|dog in a cell (or ;), or a column of 0 and 1 for each class
  key.jpg + key.cls      in a .tar
The features of pictures are kept in the user's cache (at most 1 GB), so that a second run with more pictures is quick.
Pictures that can't be used are named, left out and counted; the exit code is 1 then.

Examples:
  blvit finetune --data photos/ -o mine
  blvit classify new.jpg --model mine
  blvit finetune --data photos/labels.csv -o mine --overwrite --json
  blvit finetune --data photos/ -o better --layers all
  blvit finetune --data photos/ -o routed --model blvit-tiny --keep-ratio 0.375`,
    )
    .action((flags: Flags) => finetuneModel(flags, context))
}

async function finetuneModel(flags: Flags, context: CliContext): Promise<void> {
  const { finetune } = await import('../../finetune/finetune.js')
  const { finetuneText } = await import('../finetune-report.js')
  const { trainingProgress } = await import('../training-progress.js')
  const { data, model, json, ...options } = withoutSettings(flags)
  let progress: Progress | undefined
  let training: TrainingProgress | undefined
  const show = (state: FinetuneProgress) => {
    if (state.phase === 'layers') {
      training ??= trainingProgress(context)
      training.show(state.step)
      return
    }
    if (state.phase === 'validation') {
      const { step, results, best } = state.validation
      const shares = results.map(({ setting, top1 }) => `${setting}: ${percent(top1.share)}`).join(', ')
      context.note(`step ${step}: right ${shares}${best ? ', the best so far' : ''}`)
      return
    }
    if (state.phase === 'head') {
      progress?.stop()
      progress = undefined
      if (context.interactive || state.done === state.total)
        context.note(`fitted ${state.done} of ${state.total} heads`)
      return
    }
    // an estimate of the whole needs the first picture
    progress ??= itemProgress(context, { total: state.total, unit: 'pictures' })
    progress.moveTo(state.done, state.total)
  }
  try {
    const settings = await settingsFrom(flags)
    const { report, output } = await finetune(model, data, {
      ...{ ...options, ...settings, signal: context.signal },
      onProgress: show,
      onDownload: downloadProgress(context),
      onNote: (note) => context.note(visible(note)),
    })
    for (const { name, message } of report.failures.slice(0, shownFailures))
      context.note(`left out: ${visible(messageAbout(name, message))}`)
    await context.out(json ? JSON.stringify(report) : finetuneText(report, output))
    if (report.failures.length > 0) {
      context.note(`${countedPictures(report.failures.length)} could not be used.`)
      context.exitWith(1)
    }
  } finally {
    progress?.stop()
    training?.stop()
    if (context.signal.aborted && training) context.note('Go on with the same command and --resume.')
  }
}
