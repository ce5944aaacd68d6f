import { windowPlan } from '../nn/windows.js'
import type { LittleConfig } from './blvit-config.js'
import type { TwoWayConfig } from './masks/two-way-transformer.js'
import type { Quota, TokenWindows } from './window-kinds.js'

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

/** How a big.LITTLE encoder of SAM routes tokens (bLViT, §4.2). */
export interface SamRouting {
  /** The first layers, which are SAM's own. */
  readonly fullLayers: number
  readonly little: LittleConfig
  /** Layers, counted from 1, behind which patches are ranked and chosen. */
  readonly predictorAfter: readonly number[]
  /** Share of a window that the P-blocks process. */
  readonly keepRatio: number
}

/** What Segment Anything has beside its encoder, and whoever takes another one for it. */
export interface SamParts {
  /** Side of the frame in pixels; a multiple of the patch size. */
  readonly side: number
  readonly patchSize: number
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

/** Segment Anything (Kirillov et al. 2023). */
export interface SamConfig extends SamParts {
  readonly family: 'sam'
  readonly encoder: WindowedVitConfig
  /** What a share of a window is taken of, where one is. */
  readonly quota: Quota
  /** Of a big.LITTLE encoder: which tokens its P-blocks process; undefined: all. */
  readonly routing?: SamRouting | undefined
}

/** Patches of a picture. */
export function samGrid({ side, patchSize }: Pick<SamParts, 'side' | 'patchSize'>) {
  return { rows: side / patchSize, columns: side / patchSize }
}

/** How a picture's patches are cut into windows. */
export function samWindows(
  config: Pick<SamConfig, 'side' | 'patchSize' | 'encoder' | 'quota'>,
): TokenWindows {
  return { plan: windowPlan(samGrid(config), config.encoder.window), quota: config.quota }
}
