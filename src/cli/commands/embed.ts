import { type Command, Option } from 'commander'
import { BlvitError, messageAbout } from '../../base/blvit-error.js'
import { type Pooling, poolings } from '../../problems/embed.js'
import type { EmbeddedPicture } from '../../tasks/node/embed/embed-many.js'
import { type CliContext, endWith, readStandardInput } from '../context.js'
import {
  checkSeed,
  eitherModel,
  engineNote,
  loadOptions,
  type ModelFlags,
  modelOf,
  type ParallelFlags,
  parallelOption,
  withModelOptions,
} from '../model-options.js'
import { positiveInteger } from '../option-values.js'
import { runProgress } from '../progress.js'
import { type SettingFlags, settingsFrom, withSettings } from '../setting-options.js'
import { assertAllFound, notePart, type ShardFlags, shardRunOf, withShard } from '../shard-options.js'

interface Flags extends ModelFlags, SettingFlags, ParallelFlags, ShardFlags {
  readonly output?: string
  readonly pooling?: Pooling
  readonly normalize?: boolean
  readonly batch?: number
  readonly resume?: string | true
  readonly json?: boolean
}

/** `blvit embed` */
export function embedCommand(program: Command, context: CliContext): void {
  const command = withModelOptions(
    program
      .command('embed')
      .description('Write pictures as vectors: for search, clustering, or a classifier of your own.')
      .argument('<pictures...>', 'files, folders, globs, URLs, or - for standard input'),
    eitherModel,
  )
  withShard(withSettings(command))
    .option('-o, --output <file>', 'where to write; the ending says how: .npy, .jsonl or .csv')
    .addOption(
      new Option(
        '--pooling <what>',
        "the class token, the mean of the patches, both, or CLIP's image embedding (default: cls, mean for a model without a class token)",
      ).choices(poolings),
    )
    .option('--normalize', 'make each vector 1 long (L2), so that products of two are cosines')
    .option('-b, --batch <n>', 'pictures per run of an engine (default: as is fastest)', positiveInteger)
    .addOption(parallelOption())
    .option(
      '--resume [state file]',
      'keep what is done, and go on from there after a kill (default file: in the cache, until the end)',
    )
    .option('--json', 'a summary as JSON')
    .addHelpText(
      'after',
      `
Endings:
  .npy     a NumPy array of float32, [pictures, width]; the names of its rows stand in a .files.txt beside it
  .jsonl   a line of JSON for each picture: {"picture": …, "embedding": […]}
  .csv     a line for each picture: its name, then the numbers
Pictures that can't be read are named, left out and counted; the exit code is 1 then.

Examples:
  blvit embed photos/ -o features.npy
  blvit embed photos/ -o features.jsonl --pooling mean --normalize --model vit-tiny
  blvit embed 'shots/*.png' -o features.csv --reduce tome:8 --resume
  blvit embed photos/ --shard 0/5 --part 0.part`,
    )
    .action((args: string[], flags: Flags) => embedPictures(args, flags, context))
}

async function embedPictures(args: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { assertNotInput, checkWritable } = await import('../../files/output-files.js')
  const { output, pooling, normalize, batch, resume, json } = flags
  const run = shardRunOf(flags, { '-o': output, '--json': json, '--resume': resume })
  const outputs = run ? [run.resume] : await outputsOf(output)
  for (const path of outputs) await checkWritable(path)
  const settings = await settingsFrom(flags)
  const { expandInputs } = await import('../../data/expand-inputs.js')
  const { pictures, errors } = await expandInputs(args, { readStandardInput })
  if (pictures.length === 0 && errors[0]) throw errors[0]
  assertAllFound(run, errors)
  for (const error of errors) context.note(`error: ${error.message}`)

  const { load } = await import('../../tasks/node/load.js')
  const { embeddedPicture, keptEmbeddings } = await import('../../tasks/node/embed/embed-many.js')
  const { writeEmbeddings } = await import('../embeddings-output.js')
  await using model = await load(modelOf(flags, settings), loadOptions(flags, context))
  const sources = pictures.flatMap(({ source }) => (typeof source === 'string' ? [source] : []))
  const written = [...outputs, ...(typeof resume === 'string' ? [resume] : [])]
  for (const path of written) await assertNotInput(path, [...sources, ...model.readFrom])
  checkSeed(flags.seed, [{ model, settings: [settings] }])
  const setting = model.resolve(settings).key
  context.note(engineNote(model, { setting, pictures: pictures.length }))
  const progress = runProgress(context)
  let failures = errors.length
  const embedded: EmbeddedPicture[] = []
  try {
    const soFar = keptEmbeddings(model, pictures, {
      ...settings,
      ...{ pooling, normalize, batch, resume, seed: flags.seed, signal: context.signal, ...run },
      onEnd: async () => {
        progress.stop()
        if (output !== undefined) await writeEmbeddings(embedded, { output, json, failures }, context)
      },
    })
    for await (const { answers, ...state } of soFar) {
      for (const picture of answers.map(embeddedPicture)) {
        embedded.push(picture)
        if ('vector' in picture) continue
        failures += 1
        progress.note(`error: ${messageAbout(picture.name, picture.error.message)}`)
      }
      progress.show(state)
    }
    if (run) return notePart(context, run, { pictures: embedded.length, failures })
  } finally {
    progress.stop()
  }
  endWith(context, { failures, of: pictures.length + errors.length })
}

/** @throws BlvitError `BAD_OPTION` */
async function outputsOf(output: string | undefined): Promise<readonly string[]> {
  const { embeddingFormatOf } = await import('../../tasks/node/embed/embedding-formats.js')
  if (output !== undefined) return embeddingFormatOf(output).paths(output)
  throw new BlvitError('BAD_OPTION', 'Name the file to write with -o, e.g. -o features.npy.')
}
