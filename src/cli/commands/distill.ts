import { type Command, Option } from 'commander'
import type { StepReport } from '../../tasks/train/run-training.js'
import type { CliContext } from '../context.js'
import { devices } from '../model-options.js'
import { positiveInteger, positiveNumber, seed } from '../option-values.js'
import { downloadProgress } from '../progress.js'
import { bytes, grouped, percent } from '../quantities.js'
import { trainingProgress } from '../training-progress.js'

interface Flags {
  readonly teacher: string
  readonly to: string
  readonly data: readonly string[]
  readonly output: string
  readonly images: number
  readonly steps?: number
  readonly batch: number
  readonly lr: number
  readonly seed: number
  readonly device: (typeof devices)[number]
  readonly threads?: number
  readonly resume?: boolean
  readonly overwrite?: boolean
  readonly dryRun?: boolean
  readonly offline?: boolean
}

/** `blvit distill` */
export function distillCommand(program: Command, context: CliContext): void {
  program
    .command('distill')
    .description(
      'Make a big.LITTLE model of a ViT: its small blocks learn from pictures to imitate the big ones.',
    )
    .option('--teacher <model>', 'a shipped name, a folder or a Hugging Face id of a ViT or DeiT', 'vit-tiny')
    .option('--to <configuration>', 'b+t, s+96, t+48, … (see blvit models), or a config.json', 't+48')
    .requiredOption(
      '--data <paths...>',
      'pictures: folders, .tar files or a labels.csv; labels are not needed',
    )
    .requiredOption(
      '-o, --output <folder>',
      'where to write the model; <folder>.training keeps checkpoint and log',
    )
    .option(
      '--images <n>',
      'pictures to learn from, the same ones again counted again',
      positiveInteger,
      10_000,
    )
    .option('--steps <n>', 'instead of --images: steps of a batch each', positiveInteger)
    .option('-b, --batch <n>', 'pictures a step', positiveInteger, 16)
    .option('--lr <rate>', 'the highest learning rate', positiveNumber, 2e-3)
    .option('--seed <n>', 'of new weights, order and crops', seed, 0)
    .addOption(new Option('-d, --device <device>', 'where to train').choices(devices).default('auto'))
    .option('--threads <n>', 'threads of the engine (default: as many as it thinks good)', positiveInteger)
    .option('--resume', 'go on from the checkpoint of a training with the same options')
    .option('--overwrite', 'replace the folder and the checkpoint if they are there')
    .option('--dry-run', 'make four steps, say how long all would take and how much memory, write nothing')
    .option('--offline', "don't ask the hub, use only what is cached")
    .addHelpText(
      'after',
      `
Ctrl-C writes a checkpoint first; a checkpoint is written every 100 steps as well.

Examples:
  blvit distill --data photos/ -o my-t48 --dry-run
  blvit distill --teacher vit-tiny --to t+48 --data 'shards/*.tar' -o my-t48
  blvit distill --data photos/ -o my-t48 --resume
  blvit eval my-t48 --data validation/ --keep-ratio 0.25,0.5,1 --teacher vit-tiny`,
    )
    .action((flags: Flags) => distillModel(flags, context))
}

/** More complaints than these would hide everything else; the log has them all. */
const shownComplaints = 20

async function distillModel(flags: Flags, context: CliContext): Promise<void> {
  const { distill } = await import('../../tasks/train/distill.js')
  const { teacher, lr, steps, images, ...options } = flags
  const progress = trainingProgress(context, { stage: 'block imitation' })
  let complaints = 0
  const onStep = (report: StepReport) => {
    for (const complaint of report.complaints) {
      complaints += 1
      if (complaints <= shownComplaints) context.note(`left out: ${complaint}`)
    }
    progress.show(report)
  }
  try {
    const {
      reports,
      output,
      peakMemoryBytes,
      steps: all,
    } = await distill(teacher, {
      ...options,
      images: steps === undefined ? images : steps * flags.batch,
      learningRate: lr,
      signal: context.signal,
      onProgress: downloadProgress(context),
      onStep,
    })
    progress.stop()
    const last = reports.at(-1)
    if (last && last.elapsedMs > 0)
      context.note(`The engine waited ${percent(last.waitedMs / last.elapsedMs)} of the time for pictures.`)
    if (output === undefined && last) {
      const minutes = (all * flags.batch) / last.imagesPerSecond / 60
      context.out(
        `${grouped(all)} steps of ${flags.batch} pictures at ${last.imagesPerSecond.toFixed(1)} pictures/s would take ` +
          `${minutes.toFixed(1)} minutes and ${bytes(peakMemoryBytes)} of memory. Nothing was written.`,
      )
      return
    }
    context.out(`Wrote ${output}: ${flags.to} distilled from ${teacher}.`)
    context.out(`See how good it is: blvit eval ${output} --data <labelled pictures> --keep-ratio 0.25,0.5,1`)
  } finally {
    progress.stop()
    if (context.signal.aborted) context.note('Go on with the same command and --resume.')
  }
}
