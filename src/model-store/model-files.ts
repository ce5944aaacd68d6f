import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseJson, parseWith } from '../base/parse.js'
import type { Parameter } from '../graph/graph.js'
import { graphOf } from '../graph/graph.js'
import type { Preprocessing } from '../image/preprocessing.js'
import { readPreprocessing } from '../image/preprocessing-config.js'
import type { Architecture, ConfigJson } from '../models/architecture.js'
import { readArchitecture } from '../models/index.js'
import { eventOutputs } from '../models/token-history.js'
import { assertFinite } from '../weights/finite.js'
import { fitParameters } from '../weights/fit.js'
import { canonicalNames } from '../weights/name-maps/canonical-names.js'
import { openCheckpoint } from '../weights/node/checkpoint.js'
import type { StoredTensors } from '../weights/stored-tensor.js'
import { readLabels } from './labels.js'

/** What a model's folder says about it, without its weights. */
export interface ModelDescription {
  readonly architecture: Architecture
  readonly preprocessing: Preprocessing
  /** Class names in class order. */
  readonly labels: readonly string[]
}

/** A model's folder, opened: weights are checked, renamed to timm's names and still on disk. */
export interface ModelFiles extends ModelDescription {
  readonly weights: StoredTensors
}

async function readOptionalJson(path: string): Promise<ConfigJson | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new BlvitError('NOT_FOUND', `${path} can't be read: ${(thrown as Error).message}.`)
  }
  return parseWith(z.record(z.string(), z.unknown()), parseJson(text, path), path)
}

/** All parameters of an architecture, those of optional outputs included. */
export function parametersOf(architecture: Architecture): readonly Parameter[] {
  const { programs, history, sizes } = architecture.build()
  const outputs = Object.entries(programs).flatMap(([program, named]) =>
    Object.entries(named).map(([output, tensor]) => [`${program}.${output}`, tensor] as const),
  )
  return graphOf(architecture.family, { ...Object.fromEntries(outputs), ...eventOutputs(history) }, { sizes })
    .parameters
}

/**
 * Reads config.json and preprocessor_config.json.
 * @throws BlvitError `NOT_FOUND` without a config.json, `BAD_CONFIG`
 */
export async function describeModel(folder: string): Promise<ModelDescription> {
  const config = await readOptionalJson(join(folder, 'config.json'))
  if (!config) {
    throw new BlvitError(
      'NOT_FOUND',
      `${folder} has no config.json, so it is not a model. A model's folder holds config.json and model.safetensors.`,
    )
  }
  const preprocessorConfig = await readOptionalJson(join(folder, 'preprocessor_config.json'))
  const architecture = readArchitecture(config)
  const { image } = architecture
  return {
    architecture,
    preprocessing: readPreprocessing({ config, preprocessorConfig }, { imageSize: image }),
    labels: readLabels(config, architecture.classes),
  }
}

/**
 * Opens a model's folder and checks that its weights are the architecture's, and numbers.
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_WEIGHTS`, `SHAPE_MISMATCH`
 */
export async function openModel(
  folder: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<ModelFiles> {
  const description = await describeModel(folder)
  const checkpoint = await openCheckpoint(folder)
  const { tensors } = canonicalNames(checkpoint.tensors)
  const weights = fitParameters(parametersOf(description.architecture), tensors, { source: folder })
  await assertFinite(weights, { source: folder, signal })
  return { ...description, weights }
}
