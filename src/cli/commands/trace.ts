import type { Command } from 'commander'
import { BlvitError } from '../../base/blvit-error.js'
import { bigLittleModel } from '../../model-store/node/shipped-models.js'
import type { Model } from '../../tasks/model.js'
import type { Trace } from '../../tasks/trace/traced-steps.js'
import { type CliContext, readStandardInput } from '../context.js'
import {
  checkSeed,
  engineNote,
  loadOptions,
  type ModelFlags,
  runsUnusually,
  withModelOptions,
} from '../model-options.js'
import { positiveInteger } from '../option-values.js'
import { type SettingFlags, settingsFrom, withSettings } from '../setting-options.js'

interface Flags extends ModelFlags, SettingFlags {
  readonly output?: string
  readonly json?: string
  readonly top: number
}

/** The files to write; `json` may be `-`, standard output. */
interface Targets {
  readonly png: string | undefined
  readonly json: string | undefined
}

const defaultOutput = 'route.png'

/** `blvit trace` */
export function traceCommand(program: Command, context: CliContext): void {
  const command = withModelOptions(
    program
      .command('trace')
      .description('Draw what a model does with the patches of a picture, layer by layer.')
      .argument('<picture>', 'a file, a URL, or - for standard input'),
    bigLittleModel,
  )
  withSettings(command)
    .option('-o, --output <file.png>', `where to draw (default: ${defaultOutput}, unless --json is given)`)
    .option('--json <file>', 'patch indices, scores and labels as JSON; - for standard output')
    .option('-t, --top <n>', 'labels in the JSON', positiveInteger, 5)
    .addHelpText(
      'after',
      `
A big.LITTLE model, as the one that ships, chooses which patches take the big path. A plain ViT or DeiT lets tokens go
with --reduce: the picture shows which patches were kept, merged, fused into one token or dropped. Of a Segment Anything model it
shows its encoder, window by window.

Examples:
  blvit trace photo.jpg
  blvit trace photo.jpg --model my-t48 -o route.png --json route.json --keep-ratio 0.5
  blvit trace photo.jpg --model vit-tiny --reduce tome:13
  blvit trace photo.jpg --model my-sam --reduce evit:0.5
  blvit trace photo.jpg --model my-t48 --json - | jq '.steps[0].route.big'`,
    )
    .action((picture: string, flags: Flags) => trace(picture, flags, context))
}

async function trace(argument: string, flags: Flags, context: CliContext): Promise<void> {
  const targets = await checkedTargets(flags)
  const picture = await onePicture(argument)

  const { load } = await import('../../tasks/node/load.js')
  const settings = await settingsFrom(flags)
  const { assertTraceable } = await import('../../tasks/trace/trace.js')
  await using model = await load(flags.model ?? bigLittleModel, loadOptions(flags, context))
  const { assertNotInput } = await import('../../files/output-files.js')
  for (const path of [targets.png, targets.json])
    if (path !== undefined && path !== '-') await assertNotInput(path, [argument, ...model.readFrom])
  checkSeed(flags.seed, [{ model, settings: [settings] }])
  assertTraceable(model, settings) // before the weights go into the engine
  if (runsUnusually(model)) context.note(engineNote(model))
  const options = { top: flags.top, seed: flags.seed, ...settings, signal: context.signal }
  const traced = await model.trace(picture.source, options)
  await write(traced, { model, picture: picture.name, targets }, context)
}

async function checkedTargets({ output, json }: Flags): Promise<Targets> {
  const { checkWritable } = await import('../../files/output-files.js')
  const { resolve } = await import('node:path')
  const png = output ?? (json === undefined ? defaultOutput : undefined)
  if (png !== undefined && !/\.png$/i.test(png)) {
    throw new BlvitError(
      'BAD_OPTION',
      `--output is ${png}; the picture is a PNG, so its name must end in .png.`,
    )
  }
  if (png !== undefined && json !== undefined && resolve(png) === resolve(json)) {
    throw new BlvitError('BAD_OPTION', `--output and --json are both ${json}. Give two names.`)
  }
  for (const path of [png, json]) if (path !== undefined && path !== '-') await checkWritable(path)
  return { png, json }
}

async function onePicture(argument: string) {
  const { expandInputs } = await import('../../data/expand-inputs.js')
  const { pictures, errors } = await expandInputs([argument], { readStandardInput })
  if (errors[0]) throw errors[0]
  const [picture] = pictures
  if (picture && pictures.length === 1) return picture
  throw new BlvitError(
    'BAD_OPTION',
    `${argument} is ${pictures.length} pictures; trace draws one. Give the name of a file.`,
  )
}

async function write(
  traced: Trace,
  { model, picture, targets }: { model: Model; picture: string; targets: Targets },
  { out, note }: CliContext,
): Promise<void> {
  const { writeWholeFile } = await import('../../files/output-files.js')
  const { tracePng } = await import('../../tasks/trace/node/trace-png.js')
  const { traceJson } = await import('../../tasks/trace/trace-json.js')
  const { png, json } = targets
  // both are made before the first is written: a failure leaves neither
  const drawn = png === undefined ? undefined : await tracePng(traced, { model: model.name, picture })
  const text = JSON.stringify(traceJson(traced, { model, picture }))
  if (png !== undefined && drawn !== undefined) await writeWholeFile(png, drawn)
  if (json === '-') out(text)
  else if (json !== undefined) await writeWholeFile(json, `${text}\n`)

  const files = [png, json].filter((path) => path !== undefined && path !== '-')
  if (files.length > 0) note(`Wrote ${files.join(' and ')}.`)
}
