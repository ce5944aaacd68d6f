import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { seed, setting } from '../option-values.js'

interface Flags {
  readonly output: string
  readonly set?: Readonly<Record<string, unknown>>
  readonly seed: number
  readonly overwrite?: boolean
}

/** `blvit init` */
export function initCommand(program: Command, context: CliContext): void {
  program
    .command('init')
    .description(
      'Write an untrained model of a configuration: the start of a training, or a size to measure.',
    )
    .argument('<configuration>', 'a preset (see blvit models), a config.json or a folder with one')
    .requiredOption('-o, --output <folder>', 'where to write')
    .option('--set <key=value>', 'change a key of the configuration; repeatable', setting)
    .option('--seed <n>', 'of the weights', seed, 0)
    .option('--overwrite', 'replace the folder if it is there')
    .addHelpText(
      'after',
      `
Examples:
  blvit init vit-micro -o micro
  blvit init b+t --set num_classes=12 --seed 7 -o my-b+t`,
    )
    .action((configuration: string, flags: Flags) => init(configuration, flags, context))
}

async function init(configuration: string, flags: Flags, context: CliContext): Promise<void> {
  const { findConfiguration } = await import('../../model-store/node/find-configuration.js')
  const { initialise } = await import('../../model-store/initialise.js')
  const { initialCard } = await import('../../model-store/model-card.js')
  const { writeModelFolder } = await import('../../model-store/node/write-model-folder.js')
  const { output, set, overwrite } = flags
  const architecture = await findConfiguration(configuration, { set })
  const files = initialise(architecture, { seed: flags.seed })
  const card = initialCard(architecture, { configuration, seed: flags.seed })
  await writeModelFolder(output, files, { card, overwrite, signal: context.signal })
  for (const assumption of files.assumptions) context.note(`note: ${assumption}.`)
  context.out(`Wrote ${output}: an untrained ${configuration} of ${files.weights.size} tensors.`)
}
