import { defined } from '../base/assert.js'
import { withChanges } from '../models/index.js'
import { resamplePositionEmbedding } from '../weights/position-embedding.js'
import { readFloats } from '../weights/read-floats.js'
import { storedFrom } from '../weights/stored-from.js'
import type { ModelFiles } from './model-files.js'
import { movedBiases } from './moved-biases.js'

/**
 * The same model at another input size. Only the position embedding depends on it, whose grid is resampled as timm
 * does (bicubic with antialias), and biases of attention in windows that then have another side.
 * @param side of the input in pixels
 * @param options `antialias`: default true
 * @throws BlvitError `BAD_CONFIG` if the patches don't fill it
 */
export async function atImageSize(
  files: ModelFiles,
  side: number,
  { antialias = true }: { antialias?: boolean } = {},
): Promise<ModelFiles> {
  const { grid, facts } = files.architecture
  const architecture = withChanges(files.architecture, { image_size: side })
  const preprocessing = { ...files.preprocessing, height: side, width: side }
  const { positionEmbedding } = facts
  const biases = await movedBiases(files.weights, { source: facts, target: architecture.facts })
  const weights = new Map([...files.weights, ...biases])
  const moved = { ...files, weights, architecture, preprocessing, runsAt: undefined }
  if (!positionEmbedding) return moved
  const { parameter, prefix } = positionEmbedding
  const stored = defined(files.weights.get(parameter), 'the position embedding')
  const width = defined(stored.shape.at(-1), 'its width')
  const { rows, columns } = architecture.grid
  const resampled = resamplePositionEmbedding(await readFloats(stored), {
    prefix,
    from: [grid.rows, grid.columns],
    to: [rows, columns],
    width,
    antialias,
  })
  const embedding = storedFrom(resampled, [1, prefix + rows * columns, width])
  weights.set(parameter, embedding)
  return moved
}

/** The model at the size of picture that its files say, where that isn't the size that its weights are stored for. */
export async function atOwnSize(files: ModelFiles): Promise<ModelFiles> {
  const { runsAt } = files
  return runsAt ? atImageSize(files, runsAt.side, runsAt) : files
}
