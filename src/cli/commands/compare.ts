import type { Command } from 'commander'
import { BlvitError } from '../../base/blvit-error.js'
import { visible } from '../../base/visible-text.js'
import type { AskedRow } from '../../comparison/asked-rows.js'
import type { CliContext } from '../context.js'
import { dtypeOption, offlineOption, type precisions } from '../model-options.js'
import { positiveInteger, seed } from '../option-values.js'
import { downloadProgress, measuringUnits, stageProgress } from '../progress.js'
import { countedPictures, percent } from '../quantities.js'
import { type ManySettingFlags, manySettingsFrom, withManySettings } from '../setting-options.js'
import { roundsOf, type TimeFlags, withTimeOptions } from '../time-options.js'

interface Flags extends ManySettingFlags, TimeFlags {
  readonly rows?: string
  readonly data?: readonly string[]
  readonly output?: string
  readonly limit?: number
  readonly threads?: number
  readonly dtype: (typeof precisions)[number]
  readonly seed?: number
  readonly offline?: boolean
  readonly json?: boolean
}

/** `blvit compare` */
export function compareCommand(program: Command, context: CliContext): void {
  const command = program
    .command('compare')
    .description(
      'Put models and their settings side by side: accuracy, work, time, memory, and what is worth it.',
    )
    .argument(
      '[rows...]',
      'models (shipped names, folders, hub ids), or rows: a model@setting, e.g. vit-tiny@evit:0.7',
    )
    .option('--rows <file>', 'more rows from a file, one a line; what follows a # is a comment')
    .option('--data <paths...>', 'labelled pictures as for eval (default: none, and no accuracies)')
  withManySettings(command)
    .option(
      '-o, --output <folder>',
      'write Markdown, CSV, JSON and pictures there; what is done is kept, and not done again',
    )
    .option('--limit <n>', 'only the first n pictures', positiveInteger)
  withTimeOptions(command)
    .option(
      '--threads <n>',
      'threads of all engines together (default: as the engine thinks good)',
      positiveInteger,
    )
    .addOption(dtypeOption())
    .option('--seed <n>', 'of what is picked at random, e.g. by random:0.5 (default: 0)', seed)
    .addOption(offlineOption())
    .option('--json', 'everything as JSON')
    .addHelpText(
      'after',
      `
Rows:
  vit-tiny                 the whole model; and with options such as --reduce, also at each value that it can take
  vit-tiny@evit:0.7        exactly this; more settings behind more @: vit-tiny@192px@evit:0.7
  vit-tiny@192px           smaller pictures, vit-tiny@10layers fewer layers: the controls that a method has to beat
  blvit-tiny@0.375         a big.LITTLE model at a keep ratio
The whole model of each is added. Each row answers all pictures; times are measured afterwards, each row alone in its own
process, all having their turn in each round. A row that fails is named and left empty; the exit code is 1 then.

Columns:
  same     answers that are those of the whole model; of a big.LITTLE model, of the plain model of its sizes, if that is a row
  L, T     multiply-adds of linear maps and convolutions; T: with the attention products
  front    no other row is as accurate in less time (time), in less time for many pictures (many), with less work (work)

Examples:
  blvit compare vit-tiny --reduce evit:0.7,evit:0.5,tome:8,tome:13 --image-size 192,176 --first-layers 10,8 --data photos -o comparison
  blvit compare vit-tiny blvit-tiny@0.375 --data photos --no-time
  blvit compare --rows rows.txt --data validation/ -o comparison
  blvit compare vit-base --reduce evit:0.7,tome:8 --threads 2`,
    )
    .action((rows: readonly string[], flags: Flags) => compareModels(rows, flags, context))
}

async function askedRows(texts: readonly string[], file: string | undefined): Promise<readonly AskedRow[]> {
  const { parseRow, readRows } = await import('../../comparison/asked-rows.js')
  const rows = [
    ...(await Promise.all(texts.map(parseRow))),
    ...(file === undefined ? [] : await readRows(file)),
  ]
  if (rows.length > 0) return rows
  throw new BlvitError(
    'BAD_OPTION',
    'Name a model or a row, e.g. "blvit compare vit-tiny --reduce evit:0.7", or --rows.',
  )
}

async function compareModels(texts: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { data, output, limit, threads, dtype: precision, offline, json } = flags
  if (limit !== undefined && data === undefined)
    throw new BlvitError('BAD_OPTION', '--limit counts pictures: name them by --data, or leave it out.')
  const asked = await askedRows(texts, flags.rows)
  const spread = await manySettingsFrom(flags)
  const { checkComparisonFolder, writeComparison } = await import('../../comparison/comparison-folder.js')
  if (output !== undefined) await checkComparisonFolder(output)
  const { compare } = await import('../../comparison/compare.js')
  const { comparisonText } = await import('../comparison-report.js')
  const progress = stageProgress(context, { answering: 'pictures', ...measuringUnits })
  try {
    const comparison = await compare(asked, {
      ...{ data, spread, folder: output, limit, threads, precision, seed: flags.seed, offline },
      ...{ rounds: roundsOf(flags), signal: context.signal, onProgress: progress.show },
      onDownload: downloadProgress(context),
      onRow: ({ model, setting }, outcome) => {
        const said =
          outcome instanceof BlvitError ? `error: ${outcome.message}` : `right ${percent(outcome.top1.share)}`
        progress.note(visible(`${model}, ${setting}: ${said}`))
      },
    })
    progress.stop()
    if (output !== undefined) {
      const title = data === undefined ? 'Models side by side' : `Models side by side on ${data.join(' ')}`
      const files = await writeComparison(comparison, { folder: output, title })
      context.note(`Wrote ${files.join(', ')} in ${output}.`)
    }
    await context.out(json ? JSON.stringify(comparison) : comparisonText(comparison))
    const unusable = Math.max(0, ...comparison.rows.map(({ answers }) => answers?.failed ?? 0))
    const failed = comparison.rows.filter(({ error }) => error !== undefined).length
    if (failed > 0) context.note(`${failed} of ${comparison.rows.length} rows failed.`)
    if (unusable > 0)
      context.note(`${countedPictures(unusable)} could not be used and were left out: blvit eval names them.`)
    if (failed + unusable > 0) context.exitWith(1)
  } finally {
    progress.stop()
    if (context.signal.aborted && output !== undefined) context.note('Go on with the same command.')
  }
}
