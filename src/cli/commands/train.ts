import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { runTraining, type TrainingFlags, trainingOptions } from '../training-options.js'

interface Flags extends TrainingFlags {
  readonly teacher?: string
  readonly to?: string
}

/** `blvit train` */
export function trainCommand(program: Command, context: CliContext): void {
  const command = program
    .command('train')
    .description('Train a model as a recipe says: from scratch, from a pretrained one, from a teacher.')
    .argument(
      '<model>',
      'what its weights start as: a shipped name, a folder (see blvit init), a Hugging Face id',
    )
    .requiredOption(
      '--recipe <recipe>',
      'one of ours (distill, block-imitation, …) or a .ts, .js or .json file',
    )
    .option('--teacher <model>', 'the ViT to learn from (default: the model itself)')
    .option('--to <configuration>', 'convert it first: b+t, t+48, … or a config.json')
  trainingOptions(command)
    .addHelpText(
      'after',
      `
A recipe is data with a type: stages with an objective, what is trainable, pictures, learning rate, keep ratio.
Classes that nobody has named, as blvit init leaves them, get the data's names if it has as many.

Examples:
  blvit train vit-tiny --to t+48 --recipe distill --data photos/ -o my-t48
  blvit init vit-micro -o micro && blvit train micro --recipe from-scratch --data cifar10.tar.gz/train -o micro-cifar
  blvit train deit --set reduction=dynamic-vit:0.7 --recipe dynamic-vit --data photos/ --images 100000 -o sparse
  blvit init sam-micro -o sam && blvit train sam --recipe segment --data coco128/instances.json -o my-sam
  blvit train vit-tiny --to t+48 --set semi_cross=false --recipe distill --data photos/ -o without-semi-cross`,
    )
    .action((model: string, { teacher, to, ...flags }: Flags) =>
      runTraining(flags, context, { model, teacher, to }),
    )
}
