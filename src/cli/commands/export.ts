import { type Command, Option } from 'commander'
import type { CliContext } from '../context.js'
import { keepRatio } from '../option-values.js'
import { downloadProgress } from '../progress.js'

interface Flags {
  readonly output: string
  readonly standard?: boolean
  readonly external?: boolean
  readonly keepRatio?: number
  readonly allOutputs?: boolean
  readonly offline?: boolean
  readonly json?: boolean
}

/** `blvit export` */
export function exportCommand(program: Command, context: CliContext): void {
  program
    .command('export')
    .description('Write a model as an ONNX file.')
    .argument('<model>', 'a shipped name, a folder or a Hugging Face id')
    .requiredOption('-o, --output <file>', 'where to write, e.g. model.onnx')
    .option('--standard', 'only operators of opset 17, for older and for web runtimes')
    .addOption(
      new Option('--external', "point into the folder's model.safetensors instead of holding the weights"),
    )
    .option('-r, --keep-ratio <r>', "default of the input `kept` (default: the model's own)", keepRatio)
    .option('--all-outputs', 'features, scores and routes too, not only logits')
    .option('--offline', "don't ask the hub, use only what is cached")
    .option('--json', 'a summary as JSON')
    .action((model: string, flags: Flags) => exportModel(model, flags, context))
}

async function exportModel(reference: string, flags: Flags, context: CliContext): Promise<void> {
  const { locateModel } = await import('../../tasks/model-folder/locate-model.js')
  const { openModel } = await import('../../tasks/model-folder/model-files.js')
  const { exportOnnx } = await import('../../tasks/export-onnx.js')
  const { signal } = context
  const download = { offline: flags.offline, signal, onProgress: downloadProgress(context) }
  const { folder } = await locateModel(reference, download)
  const exported = await exportOnnx(await openModel(folder, { signal }), flags.output, {
    target: flags.standard ? 'standard' : 'native',
    weights: flags.external ? 'external' : 'inside',
    keepRatio: flags.keepRatio,
    allOutputs: flags.allOutputs,
  })
  if (flags.json) context.out(JSON.stringify({ ...exported, path: flags.output }))
  else {
    const megabytes = (exported.sizeBytes / 1e6).toFixed(1)
    const { inputs, outputs } = exported
    context.out(`Wrote ${flags.output} (${megabytes} MB): ${inputs.join(', ')} → ${outputs.join(', ')}`)
  }
}
