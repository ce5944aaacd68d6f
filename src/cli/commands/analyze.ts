import { type Command, Option } from 'commander'
import { BlvitError } from '../../base/blvit-error.js'
import { settingNames } from '../../settings/settings.js'
import type { Report } from '../analysis-report.js'
import type { CliContext } from '../context.js'
import {
  type Convention,
  commaSeparated,
  conventionOption,
  positiveInteger,
  setOption,
} from '../option-values.js'
import { hasSettings, type SettingFlags, settingsFrom, withSettings } from '../setting-options.js'

interface Flags extends SettingFlags {
  readonly convention: Convention
  readonly set?: Readonly<Record<string, unknown>>
  readonly compare?: readonly string[]
  readonly layers?: boolean
  readonly depth?: number
  readonly graph?: boolean
  readonly data?: readonly string[]
  readonly table2?: boolean
  readonly json?: boolean
}

/** `blvit analyze` */
export function analyzeCommand(program: Command, context: CliContext): void {
  withSettings(program.command('analyze'))
    .description('Count parameters, multiply-adds and activations of a configuration, without any weights.')
    .argument('[configuration]', 'b+t, vit-base, … (see blvit models), a folder or a config.json')
    .addOption(setOption())
    .addOption(conventionOption('how multiply-adds are counted in the tables'))
    .option('--layers', 'a line for each layer')
    .option('--depth <n>', 'the tree of scopes, n levels deep', positiveInteger)
    .addOption(
      new Option(
        '--compare <a,b,…>',
        'side by side; name@0.5 is one at keep ratio 0.5, name@evit:0.7 one that reduces its tokens',
      )
        .argParser(commaSeparated(String))
        .conflicts(['layers', 'depth']),
    )
    .addOption(
      new Option('--graph', 'print the symbolic graph instead').conflicts([
        'layers',
        'depth',
        'compare',
        'json',
      ]),
    )
    .addOption(
      new Option(
        '--data <paths...>',
        'where pictures decide how many tokens go on: count the mean of the first 128 of these',
      ).conflicts(['set', 'compare', 'graph']),
    )
    .addOption(
      new Option('--table2', "count the models of the bLViT paper's Table 2, beside its figures").conflicts([
        'set',
        'compare',
        'layers',
        'depth',
        'graph',
        'data',
        'convention',
        ...settingNames,
      ]),
    )
    .option('--json', 'everything as JSON; the tree of scopes only with --depth')
    .addHelpText(
      'after',
      `
Conventions (all count one multiply and one add as 1):
  linear   linear maps and convolutions only
  thop     linear + 4 per LayerNorm element, as the thop profiler counts; the bLViT paper's figures
  full     linear + the attention products q·kᵀ and A·v

Examples:
  blvit analyze b+t
  blvit analyze b+t --keep-ratio 0.5 --layers
  blvit analyze b+t --set semi_cross=false --set little=null --compare b+t
  blvit analyze vit-tiny --reduce ats --data photos/ --layers
  blvit analyze --compare vit-base,b+t@0.5,b+t@0.25 --convention full
  blvit analyze sam-b --reduce evit:0.5 --quota equal --layers
  blvit analyze --table2`,
    )
    .action((configuration: string | undefined, flags: Flags) =>
      analyzeConfigurations(configuration, flags, context),
    )
}

type Changes = Pick<Flags, 'set'> & SettingFlags

/** What a name stands for, e.g. `b+t@0.5`. */
async function find(reference: string, { set = {}, ...flags }: Changes = {}) {
  const { findConfiguration } = await import('../../model-store/node/find-configuration.js')
  const { readTypedSetting } = await import('../../tasks/node/read-settings.js')
  const [, base = reference, suffix] = /^(.+)@([^@]+)$/.exec(reference) ?? []
  const changes = Object.entries(set).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return {
    name: [base, ...changes].join(' '),
    architecture: await findConfiguration(base, { set }),
    settings: {
      ...(suffix === undefined ? {} : await readTypedSetting(suffix)),
      ...(await settingsFrom(flags)),
    },
  }
}

async function reportOn(reference: string, changes?: Changes): Promise<Report> {
  const { analyze } = await import('../../tasks/analyze/analyze.js')
  const { name, architecture, settings } = await find(reference, changes)
  return { name, analysis: analyze(architecture, settings) }
}

/** A model with its weights, counted for what some pictures decide. */
async function reportOnPictures(
  reference: string,
  { data = [], ...flags }: Flags,
  { signal }: CliContext,
): Promise<Report> {
  const { analyze } = await import('../../tasks/analyze/analyze.js')
  const { load } = await import('../../tasks/node/load.js')
  const settings = await settingsFrom(flags)
  await using model = await load(reference, { signal })
  const { architecture, name } = model
  if (!analyze(architecture, settings).counted) throw nothingToCount(model.resolve(settings).key)
  const { openDataSet } = await import('../../data/open-data-set.js')
  const { meanSizes } = await import('../../tasks/node/mean-sizes.js')
  const dataSet = await openDataSet(data, { labels: 'ignored' })
  const { pictures, sizes } = await meanSizes(model, settings, { dataSet, signal })
  if (pictures === 0) throw new BlvitError('BAD_DATA', `${data.join(', ')} has no picture that can be read.`)
  return { name, pictures, analysis: analyze(architecture, { ...settings, measured: sizes }) }
}

async function analyzeConfigurations(
  configuration: string | undefined,
  flags: Flags,
  context: CliContext,
): Promise<void> {
  const { compare = [], json } = flags
  if (flags.table2) return printTable2(configuration, flags, context)
  if (configuration === undefined && compare.length === 0) throw withoutConfiguration()
  if (configuration === undefined && (flags.set !== undefined || hasSettings(flags))) throw nothingToChange()
  if (flags.graph && configuration !== undefined) {
    const { printedGraph } = await import('../../tasks/analyze/analyze.js')
    const { architecture, settings } = await find(configuration, flags)
    context.out(printedGraph(architecture, settings))
    return
  }
  const reports: Report[] = []
  if (configuration !== undefined) {
    const report = flags.data
      ? reportOnPictures(configuration, flags, context)
      : reportOn(configuration, flags)
    reports.push(await report)
  }
  for (const reference of compare) reports.push(await reportOn(reference))
  if (json) {
    const results = reports.map((report) => reportJson(report, flags))
    context.out(JSON.stringify(flags.compare ? results : results[0]))
  } else {
    context.out(await reportText(reports, flags))
  }
}

async function printTable2(
  configuration: string | undefined,
  { json }: Flags,
  context: CliContext,
): Promise<void> {
  if (configuration !== undefined) {
    const message = `--table2 is about the models of the paper, and ${configuration} is one more. Leave it out.`
    throw new BlvitError('BAD_OPTION', message)
  }
  const { segmentAnythingCosts } = await import('../../tasks/analyze/segment-anything-costs.js')
  const { publishedCosts } = await import('../analysis-report.js')
  const rows = segmentAnythingCosts()
  context.out(json ? JSON.stringify(rows) : publishedCosts(rows))
}

function withoutConfiguration(): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    'Name a configuration, a folder or a config.json, e.g. "blvit analyze b+t". "blvit models" lists configurations.',
  )
}

function nothingToChange(): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    '--set and settings such as --keep-ratio change the configuration before --compare: give one, e.g. ' +
      '"blvit analyze b+t --keep-ratio 0.5 --compare vit-base". Those compared take a setting as b+t@0.5.',
  )
}

function nothingToCount(setting: string): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    `--data is for methods with which each picture decides how many tokens go on (--reduce ats); at ${setting} all cost the same. Leave it out.`,
  )
}

async function reportText(
  reports: readonly Report[],
  { compare, convention, layers, depth }: Flags,
): Promise<string> {
  const { comparison, layersTable, scopesTable, summary } = await import('../analysis-report.js')
  if (compare) return comparison(reports, convention)
  return reports
    .flatMap((report) => [
      summary(report, convention),
      ...(layers ? [layersTable(report, convention)] : []),
      ...(depth === undefined ? [] : [scopesTable(report, { depth, convention })]),
    ])
    .join('\n\n')
}

function reportJson({ name, analysis, pictures }: Report, { depth }: Flags) {
  const { scopes, ...rest } = analysis
  return {
    name,
    ...rest,
    ...(pictures === undefined ? {} : { pictures }),
    ...(depth === undefined ? {} : { scopes: pruned(scopes, depth) }),
  }
}

/** The tree down to a depth. */
function pruned<Tree extends { readonly scopes: readonly Tree[] }>(tree: Tree, depth: number): Tree {
  return { ...tree, scopes: depth === 0 ? [] : tree.scopes.map((inside) => pruned(inside, depth - 1)) }
}
