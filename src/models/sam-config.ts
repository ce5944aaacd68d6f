import type { TwoWayConfig } from './masks/two-way-transformer.js'

/** SAM's own image encoder: a ViT whose blocks look around in windows, some all over the picture (Li et al. 2022, ViTDet). */
export interface WindowedVitConfig {
  readonly kind: 'windowed-vit'
  readonly width: number
  readonly depth: number
  readonly heads: number
  readonly mlpWidth: number
  readonly qkvBias: boolean
  /** Side of the windows, in patches. */
  readonly window: number
  /** Blocks that see the whole picture, counted from 0. */
  readonly globalBlocks: readonly number[]
  readonly layerNormEpsilon: number
}

/** Segment Anything (Kirillov et al. 2023). */
export interface SamConfig {
  readonly family: 'sam'
  /** Side of the frame in pixels; a multiple of the patch size. */
  readonly side: number
  readonly patchSize: number
  readonly encoder: WindowedVitConfig
  /** Width of an embedding and of all tokens behind it. */
  readonly width: number
  /** Channels of the convolutions over mask prompts. */
  readonly maskChannels: number
  readonly decoder: Pick<TwoWayConfig, 'depth' | 'heads' | 'mlpWidth' | 'downsample' | 'layerNormEpsilon'> & {
    /** Masks that a prompt is answered with beside the single one. */
    readonly masks: number
    readonly iouDepth: number
    readonly iouWidth: number
  }
}

/** Patches of a picture. */
export function samGrid({ side, patchSize }: Pick<SamConfig, 'side' | 'patchSize'>) {
  return { rows: side / patchSize, columns: side / patchSize }
}

/** Of the norms of maps, whatever those of tokens have. */
export const mapEpsilon = 1e-6
