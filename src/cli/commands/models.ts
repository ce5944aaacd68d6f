import type { Command } from 'commander'
import type { ListedHubModel, ListedModel, ListedPreset, ModelList } from '../../tasks/node/list-models.js'
import type { CliContext } from '../context.js'
import { type Convention, conventionOption } from '../option-values.js'

interface Flags {
  readonly convention: Convention
  readonly json?: boolean
}

/** `blvit models` */
export function modelsCommand(program: Command, context: CliContext): void {
  program
    .command('models')
    .description('List the models that are here and the configurations that blvit knows.')
    .addOption(conventionOption('how multiply-adds are counted (see blvit analyze --help)'))
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  blvit models
  blvit models --convention linear
  blvit models --json`,
    )
    .action((flags: Flags) => models(flags, context))
}

async function models({ convention, json }: Flags, context: CliContext): Promise<void> {
  const { listModels } = await import('../../tasks/node/list-models.js')
  const list = await listModels()
  context.out(json ? JSON.stringify(list) : await listText(list, convention))
}

async function listText({ shipped, cached, presets }: ModelList, convention: Convention) {
  const { textTable } = await import('../table.js')
  const { bytes, grouped, unitFor } = await import('../quantities.js')
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
  const work = unitFor(Math.max(...presets.map(({ multiplyAdds }) => multiplyAdds[convention])))
  const preset = ({ name, parameters, multiplyAdds, setting }: ListedPreset) => [
    `  ${name}`,
    grouped(parameters),
    work.format(multiplyAdds[convention]),
    setting,
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
        { heading: `multiply-adds, ${work.letter} (${convention})` },
        { heading: 'setting', align: 'left' },
      ],
      presets.map(preset),
    )}`,
  ].join('\n\n')
}
