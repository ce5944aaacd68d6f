import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { seed, setOption } from '../option-values.js'

interface Flags {
  readonly output: string
  readonly set?: Readonly<Record<string, unknown>>
  readonly seed: number
  readonly overwrite?: boolean
  readonly json?: boolean
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
    .addOption(setOption())
    .option('--seed <n>', 'of the weights', seed, 0)
    .option('--overwrite', 'replace the folder if it is there')
    .option('--json', 'a summary as JSON')
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
  const { output, set, seed: drawn, overwrite, json } = flags
  const architecture = await findConfiguration(configuration, { set })
  const files = initialise(architecture, { seed: drawn })
  const card = initialCard(architecture, { configuration, seed: drawn })
  await writeModelFolder(output, files, { card, overwrite, signal: context.signal })
  for (const assumption of files.assumptions) context.note(`note: ${assumption}.`)
  if (json) {
    const summary = { output, config: architecture.json, seed: drawn, tensors: files.weights.size }
    return void context.out(JSON.stringify(summary))
  }
  context.out(`Wrote ${output}: an untrained ${configuration} of ${files.weights.size} tensors.`)
}
