import { type Command, Option } from 'commander'
import type { CliContext } from '../context.js'
import { offlineOption } from '../model-options.js'
import { seed, setOption } from '../option-values.js'
import { downloadProgress } from '../progress.js'

interface Flags {
  readonly to: string
  readonly output: string
  readonly set?: Readonly<Record<string, unknown>>
  readonly dtype?: 'F32' | 'F16' | 'BF16'
  readonly seed: number
  readonly overwrite?: boolean
  readonly offline?: boolean
  readonly json?: boolean
}

/** `blvit convert` */
export function convertCommand(program: Command, context: CliContext): void {
  program
    .command('convert')
    .description("Make a big.LITTLE model of a ViT's weights, as a folder for the Hugging Face hub.")
    .argument(
      '<model>',
      'a shipped name, a folder or a Hugging Face id; or the official .pth or .pt of SAM, MobileSAM or EfficientSAM',
    )
    .requiredOption('--to <configuration>', 'b+t, s+96, t+48, … (see blvit models), or a config.json')
    .requiredOption('-o, --output <folder>', 'where to write')
    .addOption(setOption())
    .addOption(
      new Option('--dtype <dtype>', 'store the weights as (default: as they are)').choices([
        'F32',
        'F16',
        'BF16',
      ]),
    )
    .option('--seed <n>', 'of the weights that start anew', seed, 0)
    .option('--overwrite', 'replace the folder if it is there')
    .addOption(offlineOption())
    .option('--json', 'a summary as JSON')
    .addHelpText(
      'after',
      `
Examples:
  blvit convert vit-tiny --to t+48 -o my-t48
  blvit convert owner/vit-base --to b+t -o my-b+t --set keep_ratio=0.5 --dtype F16
  blvit convert sam_vit_b.pth --to sam-b+t -o my-sam-b+t
  blvit convert mobile_sam.pt --to mobile-sam -o my-mobile-sam
  blvit convert vit-tiny --to vit-tiny --set reduction=dynamic-vit:0.7 -o untaught`,
    )
    .action((model: string, flags: Flags) => convert(model, flags, context))
}

async function convert(model: string, flags: Flags, context: CliContext): Promise<void> {
  const { convertFolder } = await import('../../model-store/node/convert-folder.js')
  const { json, ...options } = flags
  const { files, copied, fresh, dropped, overruled } = await convertFolder(model, {
    ...options,
    signal: context.signal,
    onProgress: downloadProgress(context),
  })
  for (const assumption of files.assumptions) context.note(`note: ${assumption}.`)
  for (const { key, source, target } of overruled) {
    context.note(
      `note: ${key} is ${show(source)} as in ${model}, not ${flags.to}'s ${show(target)} (change it with --set).`,
    )
  }
  if (json) {
    const { architecture } = files
    context.out(JSON.stringify({ output: flags.output, config: architecture.json, copied, fresh, dropped }))
    return
  }
  context.out(
    `Wrote ${flags.output}: ${flags.to} with ${copied.length} tensors of ${model}, ${fresh.length} new` +
      `${dropped.length > 0 ? `, ${dropped.length} left out` : ''}.`,
  )
  if (fresh.length === 0) return
  const { masks } = files.architecture.facts
  const { reduce } = files.architecture.settings
  const [guesses, isSound] =
    reduce === undefined ? ['below keep ratio 1', ' --keep-ratio 1'] : [`with ${reduce}`, ' --reduce none']
  const result = masks ? 'the model guesses' : `${guesses} the model answers worse, or guesses`
  context.note(`The new parts are not trained yet: ${result}.`)
  if (!masks) context.out(`Try it: blvit classify photo.jpg --model ${flags.output}${isSound}`)
}

function show(value: unknown): string {
  return value === undefined ? 'as usual' : JSON.stringify(value)
}
