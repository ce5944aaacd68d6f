import { type Command, Option } from 'commander'
import type { ListedHubModel, ListedModel, ListedPreset, ModelList } from '../../tasks/list-models.js'
import type { CliContext } from '../context.js'

/** Spelled out here so that help needs no graph. The default gives the figures of the bLViT paper. */
const conventions = ['thop', 'linear', 'full'] as const

interface Flags {
  readonly convention: (typeof conventions)[number]
  readonly json?: boolean
}

/** `blvit models` */
export function modelsCommand(program: Command, context: CliContext): void {
  program
    .command('models')
    .description('List the models that are here and the configurations that blvit knows.')
    .addOption(
      new Option('-c, --convention <name>', 'how multiply-adds are counted (see blvit analyze --help)')
        .choices(conventions)
        .default('thop'),
    )
    .option('--json', 'as JSON')
    .action((flags: Flags) => models(flags, context))
}

async function models({ convention, json }: Flags, context: CliContext): Promise<void> {
  const { listModels } = await import('../../tasks/list-models.js')
  const list = await listModels()
  context.out(json ? JSON.stringify(list) : await listText(list, convention))
}

async function listText({ shipped, cached, presets }: ModelList, convention: Flags['convention']) {
  const { textTable } = await import('../table.js')
  const { bytes, grouped, large } = await import('../quantities.js')
  const columns = [
    { heading: '  name', align: 'left' as const },
    { heading: 'architecture', align: 'left' as const },
    { heading: 'parameters' },
    { heading: 'weights' },
  ]
  const model = ({ name, architecture, parameters, sizeBytes }: ListedModel) => [
    `  ${name}`,
    architecture ?? '(not for blvit)',
    parameters === undefined ? '–' : grouped(parameters),
    bytes(sizeBytes),
  ]
  const folder = { heading: 'folder', align: 'left' as const }
  const revision = { heading: 'revision', align: 'left' as const }
  const preset = ({ name, parameters, multiplyAdds, keepRatio }: ListedPreset) => [
    `  ${name}`,
    grouped(parameters),
    large(multiplyAdds[convention]),
    keepRatio === undefined ? '–' : `${keepRatio}`,
  ]
  const shippedRows = shipped.map((entry) => [...model(entry), entry.folder])
  const cachedRows = cached.map((entry: ListedHubModel) => [...model(entry), entry.revision, entry.folder])
  return [
    `Shipped with blvit, for --model\n${textTable([...columns, folder], shippedRows)}`,
    cached.length === 0
      ? 'Downloaded from the Hugging Face hub: none yet'
      : `Downloaded from the Hugging Face hub, for --model\n${textTable([...columns, revision, folder], cachedRows)}`,
    `Configurations, for blvit analyze and convert --to\n${textTable(
      [
        { heading: '  name', align: 'left' },
        { heading: 'parameters' },
        { heading: `multiply-adds (${convention})` },
        { heading: 'keep ratio' },
      ],
      presets.map(preset),
    )}`,
  ].join('\n\n')
}
