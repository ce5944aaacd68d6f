import type { Parameter } from '../graph/graph.js'
import { findPreprocessing } from '../image/preprocessing-config.js'
import type { Architecture } from '../models/architecture.js'
import { readScoreFunction } from '../models/score-function.js'
import type { StoredTensor } from '../weights/stored-tensor.js'
import { elementCount } from '../weights/tensor-chunks.js'
import { initialWeights } from './initial-weights.js'
import { assumedLabels } from './labels.js'
import { type ModelFiles, parametersOf } from './model-files.js'

/** A tensor whose numbers are drawn when they are read, so that a model larger than memory can be written. */
function drawnWhenRead(parameter: Parameter, seed: number): StoredTensor {
  const sizeBytes = 4 * elementCount(parameter.shape)
  let drawn: Promise<Uint8Array> | undefined
  const read = async (offset: number, size: number) => {
    drawn ??= initialWeights(parameter, { seed }).segments[0]?.source.read(0, sizeBytes)
    const bytes = (await drawn)?.subarray(offset, offset + size) ?? new Uint8Array()
    // the writer goes through a tensor once, from its start to its end
    if (offset + size === sizeBytes) drawn = undefined
    return bytes
  }
  const source = { name: parameter.name, sizeBytes, read }
  return { dtype: 'F32', shape: parameter.shape, segments: [{ source, offset: 0, sizeBytes }] }
}

/** A model of an architecture with the weights that training starts from: reproducible from the seed. */
export function initialise(architecture: Architecture, { seed = 0 }: { seed?: number } = {}): ModelFiles {
  const weights = parametersOf(architecture).map(
    (parameter) => [parameter.name, drawnWhenRead(parameter, seed)] as const,
  )
  const { image, channels, classes, facts } = architecture
  return {
    architecture,
    preprocessing: findPreprocessing({}, { imageSize: image, channels, usual: facts.pictures }).preprocessing,
    scores: readScoreFunction({}, classes),
    ...assumedLabels(classes, `nothing names the ${classes} classes`),
    weights: new Map(weights),
  }
}
