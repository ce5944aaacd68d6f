import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { BlvitError } from '../../base/blvit-error.js'
import type { Exported, MaskPart } from '../../tasks/node/export/export-onnx.js'
import type { CliContext } from '../context.js'
import { atSetting, dtypeOption, offlineOption, type precisions } from '../model-options.js'
import { downloadProgress } from '../progress.js'
import { type SettingFlags, settingsFrom, withSettings } from '../setting-options.js'

// spelled out here so that help needs no graph
const maskParts: readonly MaskPart[] = ['encoder', 'decoder']

interface Flags extends SettingFlags {
  readonly output: string
  readonly for?: 'transformers.js'
  readonly overwrite?: boolean
  readonly standard?: boolean
  readonly external?: boolean
  readonly dtype: (typeof precisions)[number]
  readonly allOutputs?: boolean
  readonly part?: MaskPart
  readonly singleMask?: boolean
  readonly offline?: boolean
  readonly json?: boolean
}

/** `blvit export` */
export function exportCommand(program: Command, context: CliContext): void {
  withSettings(program.command('export'))
    .description('Write a model as an ONNX file, or as a folder that transformers.js loads.')
    .argument('<model>', 'a shipped name, a folder or a Hugging Face id')
    .requiredOption('-o, --output <path>', 'where to write, e.g. model.onnx; a folder with --for')
    .addOption(
      new Option(
        '--for <library>',
        'a folder in its layout: configuration, preprocessing, labels and model; also for the hub',
      )
        .choices(['transformers.js'])
        .conflicts(['standard', 'external', 'part', 'singleMask']),
    )
    .option('--overwrite', 'with --for: replace the folder if it is there')
    .option('--standard', 'only operators of opset 17, for older and for web runtimes')
    .addOption(
      new Option('--external', "point into the folder's model.safetensors instead of holding the weights"),
    )
    .addOption(dtypeOption())
    .option('--all-outputs', 'features, scores and routes too, not only logits')
    .addOption(
      new Option(
        '--part <which>',
        'of Segment Anything, which is two graphs: embeddings of pictures, or masks of embeddings and prompts',
      ).choices(maskParts),
    )
    .option('--single-mask', 'with --part decoder: the one mask that a prompt is about, not all four')
    .addOption(offlineOption())
    .option('--json', 'a summary as JSON')
    .addHelpText(
      'after',
      `
Examples:
  blvit export vit-tiny -o vit-tiny.onnx
  blvit export vit-tiny --standard --dtype fp16 -o vit-tiny-fp16.onnx
  blvit export vit-tiny --for transformers.js -o vit-tiny-onnx
  blvit export my-sam --part decoder --standard -o decoder.onnx`,
    )
    .action((model: string, flags: Flags) => exportModel(model, flags, context))
}

async function exportModel(reference: string, flags: Flags, context: CliContext): Promise<void> {
  const { locateModel } = await import('../../model-store/node/locate-model.js')
  const { signal } = context
  const { output, json } = flags
  checkOutput(output, { asFolder: flags.for !== undefined })
  const download = { offline: flags.offline, signal, onProgress: downloadProgress(context) }
  const { folder } = await locateModel(reference, download)
  const exported = await (flags.for === undefined ? exportFile : exportFolder)(folder, flags, context)
  if (json) context.out(JSON.stringify({ ...exported, path: output }))
  else {
    const megabytes = (exported.sizeBytes / 1e6).toFixed(1)
    const { inputs, outputs, precision, setting } = exported
    const rounded = precision === 'fp32' ? '' : `, ${precision}`
    const what = `${reference}${atSetting(setting)}`
    context.out(
      `Wrote ${output} (${megabytes} MB${rounded}) of ${what}: ${inputs.join(', ')} → ${outputs.join(', ')}`,
    )
  }
}

/** A file's name where a folder is written, or the other way round, is more likely forgotten than meant. */
function checkOutput(output: string, { asFolder }: { asFolder: boolean }): void {
  if (asFolder && output.endsWith('.onnx')) {
    throw new BlvitError(
      'BAD_OPTION',
      `--for transformers.js writes a folder with config.json and onnx/model.onnx, and ${output} looks like a ` +
        'file. Give a name without .onnx.',
    )
  }
  if (output === '')
    throw new BlvitError('BAD_OPTION', '--output has an empty name. Give the name of a file.')
  const isFolder = output.endsWith('/') || statSync(output, { throwIfNoEntry: false })?.isDirectory() === true
  if (!asFolder && isFolder) {
    throw new BlvitError(
      'WRITE_FAILED',
      `${output} is a folder. Give the name of a file, e.g. ${join(output, 'model.onnx')}, or write a folder ` +
        'with --for transformers.js.',
    )
  }
  // what has another ending is more likely something else that would be lost
  if (!asFolder && !output.toLowerCase().endsWith('.onnx')) {
    throw new BlvitError('BAD_OPTION', `--output is "${output}"; the name of an ONNX file must end in .onnx.`)
  }
}

async function exportFile(folder: string, flags: Flags, { signal }: CliContext): Promise<Exported> {
  const { openModel } = await import('../../model-store/node/open-model.js')
  const { exportOnnx } = await import('../../tasks/node/export/export-onnx.js')
  return exportOnnx(await openModel(folder, { signal }), flags.output, {
    target: flags.standard ? 'standard' : 'native',
    weights: flags.external ? 'external' : 'inside',
    precision: flags.dtype,
    ...(await settingsFrom(flags)),
    allOutputs: flags.allOutputs,
    part: flags.part,
    singleMask: flags.singleMask,
  })
}

async function exportFolder(folder: string, flags: Flags, { signal }: CliContext): Promise<Exported> {
  const { exportForTransformersJs } = await import('../../tasks/node/export/export-for-transformers-js.js')
  const { allOutputs, overwrite, dtype: precision } = flags
  const options = { precision, ...(await settingsFrom(flags)), allOutputs, overwrite, signal }
  return exportForTransformersJs(folder, flags.output, options)
}
