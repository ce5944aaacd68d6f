import type { Command } from 'commander'
import { BlvitError } from '../../base/blvit-error.js'
import { didYouMean } from '../../base/suggest.js'
import { visible } from '../../base/visible-text.js'
import type { Experiment } from '../../experiments/experiment.js'
import type { ReproduceProgress } from '../../experiments/reproduce.js'
import type { CliContext } from '../context.js'
import { commaSeparated, positiveInteger } from '../option-values.js'
import { measuringUnits, stageProgress } from '../progress.js'
import { percent } from '../quantities.js'
import { roundsOf, type TimeFlags, withTimeOptions } from '../time-options.js'

interface Flags extends TimeFlags {
  readonly data: string
  readonly output: string
  readonly teacher?: string
  readonly rows?: readonly string[]
  readonly seeds?: number
  readonly images?: number
  readonly limit?: number
  readonly parallel?: number
  readonly json?: boolean
}

/** `blvit reproduce` */
export function reproduceCommand(program: Command, context: CliContext): void {
  const command = program
    .command('reproduce')
    .description('Run a table of trained models from nothing, and say which claims of the papers hold in it.')
    .argument(
      '<table>',
      'methods: every method at 60 % of the work of one teacher; table3, table4, table5: the ablations of the bLViT paper; table2: Segment Anything with encoders of equal work; each under one budget',
    )
    .requiredOption(
      '--data <path>',
      "CIFAR-10: an archive or a folder that holds train and test; of table2 photographs with masks: instances.json in COCO's form, or its folder",
    )
    .requiredOption(
      '-o, --output <folder>',
      'where models, logs and the table are written; what is done is kept, and not done again',
    )
    .option('--teacher <folder>', 'one that is trained already (default: it is trained first)')
    .option('--rows <names>', 'only these rows, with commas between them', commaSeparated(String))
    .option('--seeds <n>', "runs of each row (default: the table's)", positiveInteger)
    .option('--images <n>', "pictures that each row is trained with (default: its recipe's)", positiveInteger)
    .option('--limit <n>', 'only the first n pictures to test with', positiveInteger)
    .option(
      '--parallel <n>',
      'runs beside each other, of one thread each (default: one a processor)',
      positiveInteger,
    )
  withTimeOptions(command)
    .option('--json', 'everything as JSON')
    .addHelpText(
      'after',
      `
The same command goes on after Ctrl-C or a kill; more rows or seeds run only what is new. A run that fails is named and its
row lacks it; the exit code is 1 then. In <output>: <table>.md, <table>.json, and runs/<row>-seed-<n> with the model beside
its log in runs/<row>-seed-<n>.training.

Examples:
  blvit reproduce methods --data cifar10.tar.gz -o reproduced
  blvit reproduce methods --data cifar10.tar.gz --teacher my-teacher --rows teacher,plain,evit,top-k -o reproduced
  blvit reproduce table3 --data cifar10.tar.gz --teacher reproduced/teacher -o reproduced
  blvit reproduce table2 --data coco128 -o reproduced-masks
  blvit reproduce methods --data cifar10.tar.gz --seeds 1 --images 640 --limit 1000 --no-time -o quick`,
    )
    .action((table: string, flags: Flags) => reproduceTable(table, flags, context))
}

async function findExperiment(name: string): Promise<Experiment> {
  const { experiments } = await import('../../experiments/index.js')
  const found = Object.hasOwn(experiments, name) ? experiments[name] : undefined
  if (found) return found
  const known = Object.keys(experiments)
  const message = `There is no table "${name}".${didYouMean(name, known)} Known: ${known.join(', ')}.`
  throw new BlvitError('NOT_FOUND', message, { known })
}

async function reproduceTable(
  name: string,
  { time, rounds, json, output, ...options }: Flags,
  context: CliContext,
): Promise<void> {
  const experiment = await findExperiment(name)
  const { reproduce } = await import('../../experiments/reproduce.js')
  const { writeTable } = await import('../../experiments/report.js')
  const { reproductionText } = await import('../reproduction-report.js')
  const progress = stageProgress(context, {
    unpacking: 'pictures decoded',
    teacher: "pictures of the teacher's training",
    runs: 'thousandths of all runs',
    ...measuringUnits,
  })
  try {
    const table = await reproduce(experiment, {
      ...{ ...options, folder: output, rounds: roundsOf({ time, rounds }), signal: context.signal },
      onProgress: (state) => progress.show(scaled(state)),
      onRun: ({ row, seed }, outcome) => {
        const said =
          outcome instanceof BlvitError
            ? `error: ${outcome.message}`
            : `right ${percent(outcome.top1.right / outcome.top1.of)}`
        progress.note(visible(`${row.name}, seed ${seed}: ${said}`))
      },
    })
    progress.stop()
    const files = await writeTable(table, output)
    context.note(`Wrote ${files.join(', ')} in ${output}.`)
    await context.out(json ? JSON.stringify(table) : reproductionText(table))
    const failed = table.rows.filter(({ error }) => error !== undefined).length
    if (failed === 0) return
    context.note(`${failed} of ${table.rows.length} rows lack runs that failed.`)
    context.exitWith(1)
  } finally {
    progress.stop()
    if (context.signal.aborted) context.note('Go on with the same command.')
  }
}

/** The runs have lengths of their own, so their progress is a share of all. */
function scaled(state: ReproduceProgress): ReproduceProgress {
  const { doing, done, total } = state
  return doing === 'runs' ? { ...state, done: Math.round((1000 * done) / total), total: 1000 } : state
}
