import type { VitConfig } from './vit-config.js'

/** The small block that updates all tokens. */
export interface LittleConfig {
  /** c, the width inside. */
  readonly width: number
  readonly heads: number
  readonly mlpRatio: number
  /** Layers that have one, counted from 1. */
  readonly layers: readonly number[]
  /** `zero`: its last maps start at 0, so secondary tokens start unchanged. */
  readonly initialisation: 'normal' | 'zero'
}

/**
 * A big.LITTLE ViT: a ViT (the P-block's sizes) of which layers after `fullLayers` run the P-block on chosen
 * tokens only, and the E-block on all. Defaults in parentheses are the paper's.
 */
export interface BlvitConfig extends Omit<VitConfig, 'family'> {
  readonly family: 'blvit'
  /** The first layers, plain ViT blocks on all tokens (1). */
  readonly fullLayers: number
  /** Layers after which tokens are chosen anew, counted from 1 (1, 4, 7, 10). */
  readonly predictorAfter: readonly number[]
  /** r, the share of patches that the P-block processes when nothing else is asked for (0.25). */
  readonly keepRatio: number
  /** What ranks the patches: the prediction layer, the last attention of the CLS token, or chance. */
  readonly selection: 'predictor' | 'cls' | 'random'
  /** Keys and values from all tokens (true) or from the primary ones only. */
  readonly semiCross: boolean
  /** P and E meet after each half-block, or once at the end of the block. */
  readonly fuse: 'half' | 'block'
  /** How much of the E-block's update a primary token takes: a learned scalar, one per channel, or none. */
  readonly gamma: 'scalar' | 'channel' | 'zero'
  /** Absent: secondary tokens pass the big.LITTLE layers unchanged. */
  readonly little: LittleConfig | null
}

/** Layers `from … to`, counted from 1. */
export function layerRange(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}
