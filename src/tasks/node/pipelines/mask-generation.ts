import { checkOptions, type OptionKeys } from '../../../base/check-options.js'
import type { ImageInput } from '../../../image/image-input.js'
import { decodeRle } from '../../../segmentation/rle.js'
import type { Segmenter } from '../../segment/segmenter.js'

/** Options under the names of transformers' pipeline. */
export interface MaskGenerationOptions {
  /** Points a side of the grid. Default 32. */
  readonly points_per_crop?: number
  /** Points that are answered at once. Default 64. */
  readonly points_per_batch?: number
  /** Masks must be predicted to overlap an object by more. Default 0.88. */
  readonly pred_iou_thresh?: number
  /** Least share of pixels that stay when the threshold is moved. Default 0.95. */
  readonly stability_score_thresh?: number
  /** Looks at 2 × 2, 4 × 4, … crops too. Default 0. */
  readonly crops_n_layers?: number
  /** Of two masks whose boxes overlap by more, the worse goes. Default 0.7. */
  readonly crops_nms_thresh?: number
  readonly signal?: AbortSignal
}

/** A mask in the form of transformers.js's pictures: 255 where something is meant. */
export interface GeneratedMask {
  readonly width: number
  readonly height: number
  readonly channels: 1
  readonly data: Uint8Array
}

/** Masks of all that is in a picture, the best first. */
export interface GeneratedMasks {
  readonly masks: readonly GeneratedMask[]
  /** Predicted IoU of each. */
  readonly scores: readonly number[]
}

const optionKeys: OptionKeys<MaskGenerationOptions> = {
  points_per_crop: true,
  points_per_batch: true,
  pred_iou_thresh: true,
  stability_score_thresh: true,
  crops_n_layers: true,
  crops_nms_thresh: true,
  signal: true,
}

/** Finds everything in a picture. */
export type MaskGeneration = (image: ImageInput, options?: MaskGenerationOptions) => Promise<GeneratedMasks>

/** As transformers has it; transformers.js has no such pipeline. */
export function maskGeneration(segmenter: Segmenter): MaskGeneration {
  return async (image, options = {}) => {
    checkOptions('option of mask-generation', options, optionKeys)
    const { signal } = options
    const encoded = await segmenter.encode(image, { signal })
    const found = await encoded.everything({
      ...{ pointsPerSide: options.points_per_crop, pointsPerRun: options.points_per_batch, signal },
      ...{ minIou: options.pred_iou_thresh, minStability: options.stability_score_thresh },
      ...{ cropLayers: options.crops_n_layers, maxOverlap: options.crops_nms_thresh },
    })
    return {
      masks: found.map(({ mask }) => {
        const { height, width, values } = decodeRle(mask)
        return { height, width, channels: 1, data: values.map((value) => (value === 0 ? 0 : 255)) }
      }),
      scores: found.map(({ predictedIou }) => predictedIou),
    }
  }
}
