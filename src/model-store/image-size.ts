import { withChanges } from '../models/index.js'
import { fitToGrid } from '../weights/fit-to-grid.js'
import type { ModelFiles } from './model-files.js'

/**
 * The same model at another input size. Only the position embedding depends on it, whose grid is resampled as the library
 * that the model is from does, and as timm does (bicubic with antialias) where none says how; and biases of attention in
 * windows that then have another side.
 * @param side of the input in pixels
 * @throws BlvitError `BAD_OPTION` if the patches don't fill it
 */
export async function atImageSize(files: ModelFiles, side: number): Promise<ModelFiles> {
  const architecture = withChanges(files.architecture, { image_size: side })
  return {
    ...files,
    architecture,
    preprocessing: { ...files.preprocessing, ...architecture.image },
    weights: await fitToGrid(files.weights, { from: files.architecture, to: architecture }),
    runsAt: undefined,
  }
}

/** The model at the size of picture that its files say, where that isn't the size that its weights are stored for. */
export async function atOwnSize(files: ModelFiles): Promise<ModelFiles> {
  return files.runsAt === undefined ? files : atImageSize(files, files.runsAt)
}
