import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { BlvitError } from '../../base/blvit-error.js'
import { parseJson, parseWith } from '../../base/parse.js'
import type { ConfigJson } from '../../models/architecture.js'
import { openCheckpoint } from '../../weights/node/checkpoint.js'
import { atOwnSize } from '../image-size.js'
import { type ModelDescription, type ModelFiles, readDescription, withWeights } from '../model-files.js'

/** A file's text; undefined where there is none. @throws BlvitError `NOT_FOUND` for one that can't be read */
export async function readOptionalText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new BlvitError('NOT_FOUND', `${path} can't be read: ${(thrown as Error).message}.`)
  }
}

const jsonObject = z.record(z.string(), z.unknown())

function parseObject(text: string, path: string): ConfigJson {
  return parseWith(jsonObject, parseJson(text, path), path)
}

/**
 * Reads config.json and preprocessor_config.json.
 * @throws BlvitError `NOT_FOUND` without a config.json, `BAD_CONFIG`
 */
export async function describeModel(folder: string): Promise<ModelDescription> {
  const [configPath, preprocessorPath] = [
    join(folder, 'config.json'),
    join(folder, 'preprocessor_config.json'),
  ]
  const [config, preprocessor] = await Promise.all([configPath, preprocessorPath].map(readOptionalText))
  if (config === undefined) {
    if ((await stat(folder).catch(() => undefined))?.isFile()) {
      throw new BlvitError(
        'NOT_FOUND',
        `${folder} is a file, and a model is a folder. Of weights alone "blvit convert ${folder} --to <configuration> -o <folder>" makes one (configurations: blvit models).`,
      )
    }
    throw new BlvitError(
      'NOT_FOUND',
      `${folder} has no config.json, so it is not a model. A model's folder holds config.json and model.safetensors.`,
    )
  }
  return readDescription({
    config: parseObject(config, configPath),
    preprocessorConfig: preprocessor === undefined ? undefined : parseObject(preprocessor, preprocessorPath),
  })
}

/**
 * Opens a model's folder and checks that its weights are the architecture's, and numbers.
 * @param options `ownSize`: at the size of picture that its files say; default true. False: as the weights are stored.
 *   `search`: see {@link withWeights}
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_WEIGHTS`, `SHAPE_MISMATCH`
 */
export async function openModel(
  folder: string,
  {
    signal,
    ownSize = true,
    search,
  }: { signal?: AbortSignal | undefined; ownSize?: boolean; search?: boolean } = {},
): Promise<ModelFiles> {
  // read at once; of two faults the description's is told
  const opening = openCheckpoint(folder)
  opening.catch(() => {})
  const description = await describeModel(folder)
  const { tensors } = await opening
  const files = await withWeights(description, tensors, {
    source: folder,
    signal,
    ...(search === undefined ? {} : { search }),
  })
  return ownSize ? atOwnSize(files) : files
}
