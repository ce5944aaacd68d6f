import { type Dim, symbol } from '../../graph/dim.js'
import { type Initialiser, truncatedNormal } from '../../graph/initialiser.js'
import {
  add,
  buffer,
  concat,
  cosine,
  divide,
  equal,
  gelu,
  input,
  mapToTokens,
  matmul,
  multiply,
  parameter,
  reshape,
  scaleShift,
  sine,
  table,
} from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import { convolution } from '../../nn/convolution.js'
import { layerNorm2d } from '../../nn/layer-norm.js'

/** Inputs of a decoder's graph, with the names of segment-anything's own exporter. */
export const promptInputs = {
  /** An embedding, which all prompts share. `[1, width, rows, columns]` */
  embedding: 'image_embeddings',
  /** (x, y) in pixels of the frame. `[prompts, points, 2]` */
  coordinates: 'point_coords',
  /** What each point is: a key of {@link PromptEncoderConfig.labels}. `[prompts, points]` */
  labels: 'point_labels',
  /** Logits of masks from an earlier answer. `[prompts, 1, 4·rows, 4·columns]` */
  masks: 'mask_input',
} as const

/** The label of a point that is none and only fills up a row. */
export const noPoint = -1

export interface PromptEncoderConfig {
  /** Of the embedding and of every token. */
  readonly width: number
  /** The frame that pictures are brought to, in pixels. */
  readonly frame: { readonly height: number; readonly width: number }
  /** Places of the embedding. */
  readonly grid: { readonly rows: number; readonly columns: number }
  /** The learned vector of each label, by the parameter's name: points inside and outside, corners of boxes. */
  readonly labels: ReadonlyMap<number, string>
  /** Whether a point that is none keeps the encoding of its place beside its vector (EfficientSAM). */
  readonly noPointKeepsPlace: boolean
  /** Channels of the convolutions over mask prompts; undefined: it takes none, and adds nothing to an embedding. */
  readonly maskChannels: number | undefined
  /** Of the norms of maps. */
  readonly layerNormEpsilon: number
}

/** Of PyTorch's `nn.Embedding` and of the random frequencies, which a checkpoint holds. */
const unitNormal: Initialiser = { kind: 'truncatedNormal', deviation: 1 }

/**
 * Random Fourier features (Tancik et al. 2020) of places: `[sin z | cos z]` of `z = 2π·(2u − 1, 2v − 1)·G`.
 * @param places (u, v) from 0 to 1. `[any, count, 2]` @returns `[any, count, width]`
 */
function placeEncoding(places: Tensor, width: number): Tensor {
  return scope('pe_layer', () => {
    const frequencies = buffer('positional_encoding_gaussian_matrix', [2, width / 2], unitNormal)
    const centred = scaleShift(places, { scale: 2, shift: -1 })
    // a stack of one: no layer, and no cost by the rule of papers
    const angles = scaleShift(matmul(centred, reshape(frequencies, [1, 2, width / 2])), {
      scale: 2 * Math.PI,
    })
    return concat([sine(angles), cosine(angles)], { axis: -1 })
  })
}

/** The encoding of each place of the embedding. @returns `[1, rows·columns, width]`, row by row */
export function gridEncoding({ width, grid: { rows, columns } }: PromptEncoderConfig): Tensor {
  const centres = Array.from({ length: rows * columns }, (_, at) => [
    ((at % columns) + 0.5) / columns,
    (Math.floor(at / columns) + 0.5) / rows,
  ])
  return scope('prompt_encoder', () => placeEncoding(table(centres.flat(), [1, rows * columns, 2]), width))
}

/** Points and corners of boxes, fed at each run. @param prompts how many of them */
export function pointInputs(prompts: Dim = symbol('prompts')): {
  readonly coordinates: Tensor
  readonly labels: Tensor
} {
  const points = symbol('points')
  return {
    coordinates: input(promptInputs.coordinates, [prompts, points, 2]),
    labels: input(promptInputs.labels, [prompts, points]),
  }
}

/**
 * A token for each point: the encoding of its place and the vector of what it is. The encoder of SAM takes a pixel's centre.
 * @param points of {@link pointInputs} @returns `[prompts, points, width]`
 */
export function pointTokens(
  { coordinates, labels }: { coordinates: Tensor; labels: Tensor },
  { width, frame, labels: names, noPointKeepsPlace }: PromptEncoderConfig,
): Tensor {
  const [prompts, points] = [sizeAt(coordinates, 0), sizeAt(coordinates, 1)]
  return scope('prompt_encoder', () => {
    const centres = scaleShift(coordinates, { shift: 0.5 })
    const places = placeEncoding(divide(centres, table([frame.width, frame.height], [1, 1, 2])), width)
    const column = (x: Tensor) => reshape(x, [prompts, points, 1])
    const isOf = (label: number) => column(equal(labels, label))
    const vectors = [...names.values()].map((name) => parameter(`${name}.weight`, [1, width], unitNormal))
    const kinds = concat([...names.keys()].map(isOf), { axis: -1 })
    // a product with a row of zeros and a one picks the vector of a label
    const ofLabels = matmul(kinds, reshape(concat(vectors, { axis: 0 }), [1, vectors.length, width]))
    if (noPointKeepsPlace) return add(places, ofLabels)
    const isPoint = scaleShift(isOf(noPoint), { scale: -1, shift: 1 })
    return add(multiply(places, isPoint), ofLabels)
  })
}

/** Masks as prompts, fed at each run. `[prompts, 1, 4·rows, 4·columns]` */
export function maskInput({ grid }: PromptEncoderConfig): Tensor {
  return input(promptInputs.masks, [symbol('prompts'), 1, 4 * grid.rows, 4 * grid.columns])
}

/**
 * What masks add to the embedding. @param masks as {@link maskInput} @returns `[prompts, rows·columns, width]`
 */
export function maskTokens(
  masks: Tensor,
  { width, layerNormEpsilon: epsilon, maskChannels }: PromptEncoderConfig,
): Tensor {
  const channels = maskChannels ?? 0
  return scope('prompt_encoder.mask_downscaling', () => {
    const halved = (name: number, map: Tensor, out: number) =>
      convolution(`${name}`, map, { out, kernel: 2, stride: 2, padding: 0 })
    const half = gelu(layerNorm2d('1', halved(0, masks, channels / 4), { epsilon }))
    const quarter = gelu(layerNorm2d('4', halved(3, half, channels), { epsilon }))
    return mapToTokens(convolution('6', quarter, { out: width }))
  })
}

/** What no mask adds to every place of the embedding. @returns `[1, 1, width]` */
export function noMaskToken({ width }: PromptEncoderConfig): Tensor {
  return scope('prompt_encoder', () =>
    reshape(parameter('no_mask_embed.weight', [1, width], truncatedNormal), [1, 1, width]),
  )
}
