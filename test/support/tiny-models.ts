import { initialWeights } from '../../src/model-store/initial-weights.js'
import { type ModelFiles, parametersOf } from '../../src/model-store/model-files.js'
import type { Architecture } from '../../src/models/architecture.js'
import { presets, withChanges } from '../../src/models/index.js'
import { type ModelDefinition, outputOf } from '../../src/models/model-definition.js'
import { storedFrom } from '../../src/weights/stored-from.js'

/** A preset's structure (layers, heads, selections) with narrow tokens and a few patches. */
export function shrunk(
  name: string,
  { rows = 3, columns = 4, ...changes }: { rows?: number; columns?: number } & Record<string, unknown> = {},
): Architecture {
  const preset = presets[name]
  if (!preset) throw new Error(`no preset ${name}`)
  const { little } = preset.json as { little?: { num_heads: number } | null }
  return withChanges(preset, {
    patch_size: 4,
    image_size: [4 * rows, 4 * columns],
    embed_dim: 4 * Number(preset.json.num_heads),
    num_classes: 5,
    ...(little ? { little: { ...little, embed_dim: 4 * little.num_heads } } : {}),
    ...changes,
  })
}

/** An architecture with random weights of a size that makes every part count. */
export function randomModel(architecture: Architecture, { seed = 1 } = {}): ModelFiles {
  const weights = parametersOf(architecture).map((parameter) => {
    // trained norms are near 1 and biases are not 0; a fresh model's would hide mistakes
    const lively = { ...parameter, initialiser: { kind: 'truncatedNormal', deviation: 0.2 } as const }
    return [parameter.name, initialWeights(lively, { seed })] as const
  })
  return {
    architecture,
    preprocessing: {
      ...architecture.image,
      cropRatio: 1,
      cropMode: 'center',
      filter: 'bicubic',
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    labels: Array.from({ length: architecture.classes }, (_, i) => `class ${i}`),
    scores: 'softmax',
    assumptions: [],
    weights: new Map(weights),
  }
}

/** The same model with some parameters set to 0. */
export function zeroed(files: ModelFiles, which: RegExp): ModelFiles {
  const weights = new Map(files.weights)
  for (const [name, tensor] of weights) {
    const size = tensor.shape.reduce((a, b) => a * b, 1)
    if (which.test(name)) weights.set(name, storedFrom(new Float32Array(size), tensor.shape))
  }
  return { ...files, weights }
}

/** Random pictures for an architecture. */
export function randomPixels({ channels, image }: Architecture, { count = 1, seed = 7 } = {}) {
  const size = count * channels * image.height * image.width
  const noise = initialWeightsOf(size, seed)
  return { count, values: noise }
}

function initialWeightsOf(size: number, seed: number): Float32Array {
  let state = seed
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  })
}

/** Random pictures as a run of an engine takes them. */
export function randomFeeds(architecture: Architecture, options: { count?: number; seed?: number } = {}) {
  return feedsOf(randomPixels(architecture, options))
}

/** Pictures as a run of an engine takes them. */
export function feedsOf({ count, values }: { count: number; values: Float32Array }) {
  return { batch: count, inputs: { pixel_values: values } }
}

/** The outputs of all programs of a classifier, as one graph may have them. */
export function outputsOf(model: ModelDefinition) {
  return { logits: outputOf(model, 'classify', 'logits'), features: outputOf(model, 'embed', 'features') }
}
