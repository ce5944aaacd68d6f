import { type Command, Option } from 'commander'
import { BlvitError } from '../base/blvit-error.js'
import { bigLittleModel, defaultModel } from '../model-store/node/shipped-models.js'
import { plainKey } from '../settings/setting.js'
import type { Settings } from '../settings/settings.js'
import type { Model } from '../tasks/model.js'
import type { LoadModelOptions } from '../tasks/node/load.js'
import type { CliContext } from './context.js'
import { positiveInteger, positiveIntegerOr, seed } from './option-values.js'
import { downloadProgress } from './progress.js'

/** The devices that `--device` takes; spelled out here so that help needs no engine. */
export const devices = ['auto', 'cpu', 'wasm', 'webgpu'] as const

/** What `--dtype` takes. */
export const precisions = ['fp32', 'fp16', 'int8'] as const

/** `--device`. @param about what is run there */
export function deviceOption(about = 'where to run; auto takes the fastest that works'): Option {
  return new Option('-d, --device <device>', about).choices(devices).default('auto')
}

/** `--offline`. */
export function offlineOption(): Option {
  return new Option('--offline', "don't ask the hub, use only what is cached")
}

/** `--dtype`. */
export function dtypeOption(): Option {
  return new Option(
    '--dtype <precision>',
    'what to compute in: int8 (linear maps) is faster on processors, fp16 on GPUs; both are a little less exact',
  )
    .choices(precisions)
    .default('fp32')
}

/** `--parallel`: a number of engines or `auto`. */
export function parallelOption(): Option {
  return new Option(
    '--parallel <n|auto>',
    'engines that run beside each other and share the threads, no more than pictures; auto: one a core for more than a handful of pictures, as far as memory goes',
  )
    .argParser(positiveIntegerOr('auto'))
    .default('auto')
}

/** Of commands that run many pictures. */
export interface ParallelFlags {
  readonly parallel: number | 'auto'
}

/** Options of every command that runs a model. */
export interface EngineFlags {
  readonly device: (typeof devices)[number]
  readonly dtype: (typeof precisions)[number]
  readonly threads?: number
  readonly seed?: number
  readonly offline?: boolean
}

/** Those and the model itself. */
export interface ModelFlags extends EngineFlags {
  readonly model?: string
}

/**
 * Adds `--model`, `--device`, `--dtype`, `--threads`, `--seed` and `--offline`.
 * @param fallback the model of {@link modelOf} where none is named, in words
 * @param seeded what `--seed` decides; default: what a model picks at random
 */
export function withModelOptions(command: Command, fallback: string, seeded?: string): Command {
  const what = 'a shipped name, a folder or a Hugging Face id (owner/name)'
  return withEngineOptions(command.option('-m, --model <model>', `${what} (default: ${fallback})`), seeded)
}

/** How the default of a command that runs any model is told. */
export const eitherModel = `${defaultModel}; with a keep ratio or keep mass ${bigLittleModel}`

/** The model that is named, or the one that ships for what is asked: a share of patches is a question to a big.LITTLE one alone. */
export function modelOf({ model }: Pick<ModelFlags, 'model'>, { keepRatio, keepMass }: Settings): string {
  return model ?? ((keepRatio ?? keepMass) ? bigLittleModel : defaultModel)
}

/**
 * Adds the same without `--model`, for a command whose first argument is the model.
 * @param seeded what `--seed` decides
 */
export function withEngineOptions(
  command: Command,
  seeded = 'what is picked at random, e.g. by --reduce random:0.5',
): Command {
  return command
    .addOption(deviceOption())
    .addOption(dtypeOption())
    .option(
      '--threads <n>',
      'threads of all engines together (default: as many as the engine thinks good)',
      positiveInteger,
    )
    .option('--seed <n>', `of ${seeded} (default: 0)`, seed)
    .addOption(offlineOption())
}

/** How the precision is told, in words that follow the engine's. */
const precisionNotes = {
  fp32: '',
  fp16: ', in float16 (tokens ranked in float32)',
  int8: ', linear maps in int8',
} as const

/** What a model runs at, in words that follow its name; nothing where nothing is set. */
export function atSetting(setting: string): string {
  return setting === plainKey ? '' : ` at ${setting}`
}

/**
 * @param runs each model with all the settings that it runs at
 * @throws BlvitError `BAD_OPTION` for a seed that decides nothing
 */
export function checkSeed(
  given: number | undefined,
  runs: readonly { readonly model: Model; readonly settings: readonly Settings[] }[],
): void {
  if (given === undefined) return
  if (runs.some(({ model, settings }) => settings.some((each) => model.isRandom(each)))) return
  const names = runs.map(
    ({ model, settings: [first] }) => `${model.name}${atSetting(model.resolve(first ?? {}).key)}`,
  )
  throw new BlvitError(
    'BAD_OPTION',
    `--seed ${given} would change nothing: ${names.join(' and ')} picks nothing at random. Leave it out.`,
    { seed: given },
  )
}

/**
 * What runs a model, at which setting if it has any, in which precision if that is not the usual one, and why.
 * @param options `pictures`: how many are to be run, which decides about engines beside each other
 */
export function engineNote(
  model: Model,
  { setting = plainKey, pictures = 1 }: { readonly setting?: string; readonly pictures?: number } = {},
): string {
  const { name, engine, engineOptions } = model
  const precision = precisionNotes[engineOptions.precision ?? 'fp32']
  const plan = model.planFor(pictures)
  // a part of a shard may have none
  const lanes = Math.max(1, Math.min(plan.lanes, pictures))
  const threads = `${plan.threads} thread${plan.threads === 1 ? '' : 's'}`
  const engines =
    lanes === 1 ? `, one engine of ${threads}` : `, ${lanes} engines of ${threads} beside each other`
  const unneeded =
    lanes === plan.lanes ? '' : ` (${plan.lanes} were asked for: no more than pictures are opened)`
  const beside = plan.lanes === 1 ? '' : `${engines}${unneeded}`
  return `${name}${atSetting(setting)} on ${engine.runtime.description}${precision}${beside}: ${engine.reason}`
}

/** True where the way a model runs must be told though nobody asked: not on the processor, or not in float32. */
export function runsUnusually({ engine, engineOptions }: Model): boolean {
  return engine.runtime.device !== 'cpu' || (engineOptions.precision ?? 'fp32') !== 'fp32'
}

/** What {@link withEngineOptions} parsed, for `load`. */
export function loadOptions(
  { device, dtype, threads, parallel, offline }: EngineFlags & Partial<ParallelFlags>,
  context: CliContext,
): LoadModelOptions {
  return {
    device,
    threads,
    parallel,
    precision: dtype,
    offline,
    signal: context.signal,
    onProgress: downloadProgress(context),
    onAssumption: (assumption) => context.note(`note: ${assumption}.`),
  }
}
