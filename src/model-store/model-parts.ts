import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseJson, parseWith } from '../base/parse.js'
import type { ModelJson } from './model-files.js'

/** A model's files where they are at hand already, e.g. chosen by the user. */
export interface ModelParts extends ModelJson {
  /** For messages. Default: `the model given`. */
  readonly name?: string
  /** `model.safetensors` */
  readonly weights: Blob | Uint8Array | ArrayBuffer
}

/** A file that somebody chose, as browsers give it. */
export interface ChosenFile extends Blob {
  readonly name: string
  /** `my-sam/config.json` of a folder that was chosen; empty of a single file. */
  readonly webkitRelativePath?: string
}

// a configuration has some kilobytes, and a slip of the hand may have gigabytes
const mostJsonBytes = 10_000_000

async function jsonIn(file: ChosenFile): Promise<Record<string, unknown>> {
  if (file.size > mostJsonBytes) {
    throw new BlvitError('BAD_CONFIG', `${file.name} has ${file.size} bytes: too long for a configuration.`)
  }
  return parseWith(z.record(z.string(), z.unknown()), parseJson(await file.text(), file.name), file.name)
}

function without(what: string, files: readonly ChosenFile[]): BlvitError {
  const names = files.map(({ name }) => name)
  const shown = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`
  return new BlvitError(
    'NOT_FOUND',
    `There is no ${what} among ${shown || 'no files'}. Give a model's folder, or its config.json and model.safetensors together.`,
  )
}

/**
 * The model in files that somebody chose or dropped: a folder as `blvit init` and `blvit convert` write it.
 * @param files others beside are passed over; weights aren't read yet
 * @throws BlvitError `NOT_FOUND` where one is missing, `UNSUPPORTED` for weights in several files or as PyTorch saves them,
 *   `BAD_CONFIG`
 * @example
 * const model = await load(await modelFromFiles(input.files ?? []))
 */
export async function modelFromFiles(files: Iterable<ChosenFile>): Promise<ModelParts> {
  const all = [...files]
  const named = (name: string) => all.find((file) => file.name === name)
  // another name will do if there is no doubt
  const candidates = all.filter(({ name }) => name.endsWith('.safetensors'))
  const weights = named('model.safetensors') ?? (candidates.length === 1 ? candidates[0] : undefined)
  const config = named('config.json')
  if (!weights && all.some(({ name }) => /\.(safetensors(\.index\.json)?|pth?|bin)$/.test(name))) {
    throw new BlvitError(
      'UNSUPPORTED',
      'These weights are in several files, or as PyTorch saves them. Make one model.safetensors of them: blvit convert <folder or file> -o my-model',
    )
  }
  if (!weights) throw without('model.safetensors', all)
  if (!config) throw without('config.json', all)
  const preprocessor = named('preprocessor_config.json')
  const [folder] = config.webkitRelativePath?.split('/') ?? []
  return {
    name: folder || weights.name,
    config: await jsonIn(config),
    preprocessorConfig: preprocessor && (await jsonIn(preprocessor)),
    weights,
  }
}
