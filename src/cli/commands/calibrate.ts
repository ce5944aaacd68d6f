import { type Command, InvalidArgumentError, Option } from 'commander'
import { BlvitError, messageAbout } from '../../base/blvit-error.js'
import { visible } from '../../base/visible-text.js'
import { defaultModel } from '../../model-store/node/shipped-models.js'
import type { Model } from '../../tasks/model.js'
import type { MaskSummary } from '../../tasks/node/calibrate/write-mask.js'
import { type CliContext, endWith } from '../context.js'
import { engineNote, loadOptions, type ModelFlags, withModelOptions } from '../model-options.js'
import { positiveInteger } from '../option-values.js'
import { runProgress } from '../progress.js'

interface Flags extends ModelFlags {
  readonly data?: readonly string[]
  readonly output: string
  readonly images?: number
  readonly threshold?: 'patches' | 'all'
  readonly objects?: string
  readonly dilate?: number
  readonly json?: boolean
}

function pixels(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number of pixels, 0 or more.')
}

/** `blvit calibrate` */
export function calibrateCommand(program: Command, context: CliContext): void {
  const command = withModelOptions(
    program
      .command('calibrate')
      .description(
        'Find the patches that --reduce atf:mask.json keeps, for a model and its size of pictures.',
      )
      .argument('<method>', 'atf, the only one that is calibrated'),
    defaultModel,
    'which pictures of --data are drawn',
  )
  command
    .option('--data <paths...>', 'sample pictures: folders, .tar files or a labels.csv; labels are ignored')
    .requiredOption('-o, --output <file.json>', 'where to write the mask')
    .option('--images <n>', 'pictures that are drawn; of fewer all are taken (default: 128)', positiveInteger)
    .addOption(
      new Option(
        '--threshold <of>',
        'a patch stays that receives more attention than the mean of the patches, or of all tokens (default: patches)',
      ).choices(['patches', 'all']),
    )
    .option(
      '--objects <file>',
      'patches that stay too: a picture, white where the object is, or JSON, a string of 0 and 1 for each row of patches',
    )
    .option(
      '--dilate <pixels>',
      "grows --objects by so many pixels of the model's input (default: 0)",
      pixels,
    )
    .option('--json', 'a summary as JSON')
    .addHelpText(
      'after',
      `
How much attention each patch receives in the first block, on average over the pictures, decides which always stay
(Attention-aware Token Filtering). Without --data the mask is of --objects alone.
Pictures that can't be used are named, left out and counted; the exit code is 1 then.

Examples:
  blvit calibrate atf --data photos/ -o mask.json
  blvit calibrate atf -m my-vit --data photos/ --objects text.png --dilate 12 -o mask.json
  blvit classify photo.jpg -m vit-tiny --reduce atf:mask.json`,
    )
    .action((method: string, flags: Flags) => calibrate(method, flags, context))
}

/** @throws BlvitError `BAD_OPTION` for options that go without what they are about */
function checkFlags(method: string, { data, objects, dilate, images, threshold, seed }: Flags): void {
  const refused = (message: string) => new BlvitError('BAD_OPTION', message)
  if (method !== 'atf') throw refused(`There is nothing to calibrate of "${method}". Known: atf.`)
  if (!data && objects === undefined)
    throw refused('Name sample pictures with --data, or the patches of an object with --objects.')
  if (dilate !== undefined && objects === undefined)
    throw refused('--dilate grows what --objects marks. Give --objects too, or leave it out.')
  const draws = Object.entries({ '--images': images, '--threshold': threshold, '--seed': seed })
  const idle = draws.find(([, value]) => value !== undefined)
  if (!data && idle)
    throw refused(`${idle[0]} is about the pictures of --data. Give --data too, or leave it out.`)
}

async function calibrate(method: string, flags: Flags, context: CliContext): Promise<void> {
  checkFlags(method, flags)
  const { data, output, objects, dilate, json } = flags
  const { assertEnding, assertNotInput, checkWritable } = await import('../../files/output-files.js')
  assertEnding('--output', output, '.json')
  await checkWritable(output)
  const { load } = await import('../../tasks/node/load.js')
  const { readObjects } = await import('../../tasks/node/calibrate/read-objects.js')
  const { maskOfObjects } = await import('../../tasks/node/calibrate/calibrate-mask.js')
  const { writeTokenMask } = await import('../../tasks/node/calibrate/write-mask.js')
  await using model = await load(flags.model ?? defaultModel, loadOptions(flags, context))
  await assertNotInput(output, [
    ...model.readFrom,
    ...(data ?? []),
    ...(objects === undefined ? [] : [objects]),
  ])
  const region = objects === undefined ? undefined : await readObjects(objects, model, { dilate })
  const { mask, failures } = data
    ? await calibrated(model, data, { ...flags, region }, context)
    : { mask: maskOfObjects(model, region), failures: [] }
  const summary = await writeTokenMask(output, mask)
  const drawn = mask.calibration?.pictures
  if (json) {
    const { seed, threshold, fingerprint } = mask.calibration ?? {}
    const left = failures.map(({ name, error }) => ({ name, error: error.message }))
    context.out(
      JSON.stringify({
        output,
        model: model.name,
        ...summary,
        pictures: drawn,
        seed,
        threshold,
        fingerprint,
        failures: left,
      }),
    )
  } else context.out(summaryText(summary, { output, model, drawn }))
  endWith(context, { failures: failures.length, of: failures.length + (drawn ?? 0) })
}

async function calibrated(
  model: Model,
  data: readonly string[],
  { images, threshold, seed, region }: Flags & { readonly region: readonly boolean[] | undefined },
  context: CliContext,
) {
  const { calibrateTokenMask } = await import('../../tasks/node/calibrate/calibrate-mask.js')
  context.note(engineNote(model, { pictures: 1 }))
  const progress = runProgress(context)
  try {
    return await calibrateTokenMask(model, data, {
      ...{ pictures: images, threshold, seed, objects: region, signal: context.signal },
      onProgress: ({ done, total }) => progress.show({ done, total, resumed: 0 }),
      onFailure: ({ name, error }) => progress.note(`error: ${visible(messageAbout(name, error.message))}`),
    })
  } finally {
    progress.stop()
  }
}

function summaryText(
  { grid, kept, static: ofStatic, objects }: MaskSummary,
  { output, model, drawn }: { output: string; model: Model; drawn: number | undefined },
): string {
  const parts = [
    ...(ofStatic === null ? [] : [`${ofStatic} by the attention of ${drawn} pictures`]),
    ...(objects === null ? [] : [`${objects} of the object`]),
  ]
  return (
    `Wrote ${output}: ${kept} of ${grid.rows * grid.columns} patches stay (${parts.join(', ')}).\n` +
    `Try it: blvit classify photo.jpg -m ${model.name} --reduce atf:${output}`
  )
}
