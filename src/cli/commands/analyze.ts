import { type Command, Option } from 'commander'
import { BlvitError } from '../../errors/blvit-error.js'
import type { Report } from '../analysis-report.js'
import type { CliContext } from '../context.js'
import { keepRatio, positiveInteger, setting } from '../option-values.js'

/** Spelled out here so that help needs no graph. The default gives the figures of the bLViT paper. */
const conventions = ['thop', 'linear', 'full'] as const

interface Flags {
  readonly keepRatio?: number
  readonly convention: (typeof conventions)[number]
  readonly set?: Readonly<Record<string, unknown>>
  readonly compare?: readonly string[]
  readonly layers?: boolean
  readonly depth?: number
  readonly graph?: boolean
  readonly json?: boolean
}

function commaSeparated(text: string): string[] {
  return text.split(',').filter(Boolean)
}

/** `blvit analyze` */
export function analyzeCommand(program: Command, context: CliContext): void {
  program
    .command('analyze')
    .description('Count parameters, multiply-adds and activations of a configuration, without any weights.')
    .argument('[configuration]', 'b+t, vit-base, … (see blvit models), a folder or a config.json')
    .option(
      '-r, --keep-ratio <r>',
      "share of patches for the big blocks (default: the model's own)",
      keepRatio,
    )
    .option('--set <key=value>', 'change a key of the configuration; repeatable', setting)
    .addOption(
      new Option('-c, --convention <name>', 'how multiply-adds are counted in the tables')
        .choices(conventions)
        .default('thop'),
    )
    .option('--layers', 'a line for each layer')
    .option('--depth <n>', 'the tree of scopes, n levels deep', positiveInteger)
    .addOption(
      new Option('--compare <a,b,…>', 'side by side; name@0.5 is a configuration at keep ratio 0.5')
        .argParser(commaSeparated)
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
  blvit analyze --compare vit-base,b+t@0.5,b+t@0.25 --convention full`,
    )
    .action((configuration: string | undefined, flags: Flags) =>
      analyzeConfigurations(configuration, flags, context),
    )
}

/** What a name stands for, e.g. `b+t@0.5`. */
async function reportOn(
  reference: string,
  { keepRatio: ratio, set }: Pick<Flags, 'keepRatio' | 'set'> = {},
): Promise<Report> {
  const { analyze } = await import('../../tasks/analyze.js')
  const { findConfiguration } = await import('../../tasks/find-configuration.js')
  const [, name = reference, suffix] = /^(.+)@([\d.]+)$/.exec(reference) ?? []
  const architecture = await findConfiguration(name, { set })
  const atRatio = ratio ?? (suffix === undefined ? undefined : Number(suffix))
  return { name, architecture, analysis: analyze(architecture, { keepRatio: atRatio }) }
}

async function analyzeConfigurations(
  configuration: string | undefined,
  flags: Flags,
  context: CliContext,
): Promise<void> {
  if (configuration === undefined && flags.compare === undefined) {
    throw new BlvitError(
      'BAD_OPTION',
      'Name a configuration, a folder or a config.json, e.g. "blvit analyze b+t". "blvit models" lists configurations.',
    )
  }
  if (configuration === undefined && (flags.keepRatio ?? flags.set) !== undefined) {
    throw new BlvitError(
      'BAD_OPTION',
      '--keep-ratio and --set change the configuration before --compare: give one, e.g. ' +
        '"blvit analyze b+t --keep-ratio 0.5 --compare vit-base". Those compared take a ratio as b+t@0.5.',
    )
  }
  const reports: Report[] = []
  if (configuration !== undefined) reports.push(await reportOn(configuration, flags))
  for (const reference of flags.compare ?? []) reports.push(await reportOn(reference))
  const [first] = reports
  if (first === undefined) throw new BlvitError('BAD_OPTION', '--compare names no configuration.')

  if (flags.graph) {
    const { printedGraph } = await import('../../tasks/analyze.js')
    context.out(printedGraph(first.architecture))
  } else if (flags.json) {
    const results = reports.map((report) => reportJson(report, flags))
    context.out(JSON.stringify(flags.compare ? results : results[0]))
  } else {
    context.out(await reportText(reports, first, flags))
  }
}

async function reportText(
  reports: readonly Report[],
  first: Report,
  { compare, convention, layers, depth }: Flags,
): Promise<string> {
  const { comparison, layersTable, scopesTable, summary } = await import('../analysis-report.js')
  if (compare) return comparison(reports, convention)
  return [
    summary(first, convention),
    ...(layers ? [layersTable(first, convention)] : []),
    ...(depth === undefined ? [] : [scopesTable(first, { depth, convention })]),
  ].join('\n\n')
}

function reportJson({ name, architecture, analysis }: Report, { depth }: Flags) {
  const { scopes, ...rest } = analysis
  return {
    name,
    family: architecture.family,
    config: architecture.json,
    ...rest,
    ...(depth === undefined ? {} : { scopes: pruned(scopes, depth) }),
  }
}

/** The tree down to a depth. */
function pruned<Tree extends { readonly scopes: readonly Tree[] }>(tree: Tree, depth: number): Tree {
  return { ...tree, scopes: depth === 0 ? [] : tree.scopes.map((inside) => pruned(inside, depth - 1)) }
}
