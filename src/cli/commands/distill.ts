import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { runTraining, type TrainingFlags, trainingOptions } from '../training-options.js'

interface Flags extends TrainingFlags {
  readonly teacher: string
  readonly to: string
}

/** `blvit distill` */
export function distillCommand(program: Command, context: CliContext): void {
  const command = program
    .command('distill')
    .description('Make a big.LITTLE model of a ViT, from pictures without labels.')
    .option('--teacher <model>', 'a shipped name, a folder or a Hugging Face id of a ViT or DeiT', 'vit-tiny')
    .option('--to <configuration>', 'b+t, s+96, t+48, … (see blvit models), or a config.json', 't+48')
    .option(
      '--recipe <recipe>',
      'distill, block-imitation, of Segment Anything distill-segmenter or distill-encoder, or a file',
      'distill',
    )
  trainingOptions(command)
    .addHelpText(
      'after',
      `
First each small block learns alone to do what its big block does, then all together learn to answer like the
teacher with few patches. Ctrl-C writes a checkpoint first.

Examples:
  blvit distill --data photos/ -o my-t48 --dry-run
  blvit distill --teacher vit-tiny --to t+48 --data 'shards/*.tar' -o my-t48
  blvit distill --data photos/ -o my-t48 --resume
  blvit distill --teacher sam_vit_b.pth --to sam-b+t --recipe distill-segmenter --data instances.json -o my-sam
  blvit eval my-t48 --data validation/ --keep-ratio 0.25,0.5,1 --teacher vit-tiny`,
    )
    .action(({ teacher, to, ...flags }: Flags) =>
      runTraining(flags, context, { model: teacher, teacher, to }),
    )
}
