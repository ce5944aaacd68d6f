import { type Command, Option } from 'commander'
import { messageAbout } from '../../base/blvit-error.js'
import { type Pooling, poolings } from '../../problems/embed.js'
import type { EmbeddedPicture } from '../../tasks/node/embed/embed-many.js'
import { type CliContext, readStandardInput } from '../context.js'
import {
  checkSeed,
  engineNote,
  loadOptions,
  type ModelFlags,
  type ParallelFlags,
  parallelOption,
  withModelOptions,
} from '../model-options.js'
import { positiveInteger } from '../option-values.js'
import { itemProgress, type Progress } from '../progress.js'
import { type SettingFlags, settingsFrom, withSettings } from '../setting-options.js'

interface Flags extends ModelFlags, SettingFlags, ParallelFlags {
  readonly output: string
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
  )
  withSettings(command)
    .requiredOption('-o, --output <file>', 'where to write; the ending says how: .npy, .jsonl or .csv')
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
  blvit embed 'shots/*.png' -o features.csv --reduce tome:8 --resume`,
    )
    .action((args: string[], flags: Flags) => embedPictures(args, flags, context))
}

async function embedPictures(args: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { assertNotInput, checkWritable } = await import('../../files/output-files.js')
  const { embeddingFormatOf } = await import('../../tasks/node/embed/embedding-formats.js')
  const { output, pooling, normalize, batch, resume } = flags
  const format = embeddingFormatOf(output)
  const settings = await settingsFrom(flags)
  const outputs = format.paths(output)
  for (const path of outputs) await checkWritable(path)
  const { expandInputs } = await import('../../data/expand-inputs.js')
  const { pictures, errors } = await expandInputs(args, { readStandardInput })
  if (pictures.length === 0 && errors[0]) throw errors[0]
  for (const error of errors) context.note(`error: ${error.message}`)

  const { load } = await import('../../tasks/node/load.js')
  const { embedMany } = await import('../../tasks/node/embed/embed-many.js')
  await using model = await load(flags.model, loadOptions(flags, context))
  const sources = pictures.flatMap(({ source }) => (typeof source === 'string' ? [source] : []))
  const written = [...outputs, ...(typeof resume === 'string' ? [resume] : [])]
  for (const path of written) await assertNotInput(path, [...sources, ...model.readFrom])
  checkSeed(flags.seed, [{ model, settings: [settings] }])
  const setting = model.resolve(settings).key
  context.note(engineNote(model, { setting, pictures: pictures.length }))
  let progress: Progress | undefined
  let failures = errors.length
  const finish = async (embedded: readonly EmbeddedPicture[]) => {
    progress?.stop()
    progress = undefined
    const vectors = embedded.flatMap((picture) => ('vector' in picture ? [picture] : []))
    if (vectors.length > 0) await format.write(output, vectors)
    const files = vectors.length > 0 ? outputs : []
    const width = vectors[0]?.vector.length ?? 0
    const summary = { output, files, pictures: vectors.length, width, failures }
    if (flags.json) await context.out(JSON.stringify(summary))
    else if (files.length > 0)
      await context.out(`Wrote ${files.join(' and ')}: ${vectors.length} × ${width}.`)
  }
  try {
    await embedMany(model, pictures, {
      ...settings,
      ...{ pooling, normalize, batch, resume, seed: flags.seed, signal: context.signal, onResult: finish },
      onPicture: (picture) => {
        if ('vector' in picture) return
        failures += 1
        const note = progress?.note ?? context.note
        note(`error: ${messageAbout(picture.name, picture.error.message)}`)
      },
      onProgress: ({ done, total, resumed }) => {
        if (!progress && resumed > 0) context.note(`going on after ${resumed} pictures that are done`)
        progress ??= itemProgress(context, { total, unit: 'pictures', start: done })
        progress.moveTo(done, total)
      },
    })
  } finally {
    progress?.stop()
  }
  if (failures > 0) {
    context.note(`${failures} of ${pictures.length + errors.length} could not be read.`)
    context.exitWith(1)
  }
}
