import type { ActivationName } from '../nn/activations.js'
import type { PositionResampling } from './facts.js'

/** Everything in which plain ViTs differ beside their sizes, by the name that the code uses. */
export interface VitSwitches {
  readonly classToken: boolean
  /** Tokens between class token and patches that stand for nothing (Darcet et al. 2024). */
  readonly registers: number
  /** How many of the prefix tokens have a row in the position embedding; undefined: there is no embedding. */
  readonly embeddedPrefix: number | undefined
  /** How the position embedding is fitted to pictures of another size; undefined: the model takes none. */
  readonly positionResampling: PositionResampling | undefined
  /** Whether the map from patches to tokens has a bias. CLIP's has none. */
  readonly patchBias: boolean
  /** A norm between the embeddings and the first block, as in CLIP. */
  readonly preNorm: boolean
  /** Biases of the maps to queries, keys and values. */
  readonly qkvBias: boolean
  /** Biases of attention's output map and of the MLP. */
  readonly projBias: boolean
  /** A norm of each head's queries and keys. */
  readonly qkNorm: boolean
  /** What the factors of each half-block's update start with (LayerScale); undefined: there are none. */
  readonly layerScale: number | undefined
  /** What a block's MLP applies between its two maps. */
  readonly activation: ActivationName
  /** Where the last norm stands: on all tokens, or on what the head reads of them. */
  readonly finalNorm: 'tokens' | 'pooled' | 'none'
  /** What the head reads: the class token, the mean of the patches, or one beside the other (DINOv2). */
  readonly pooling: 'token' | 'mean' | 'token+mean'
  /** Whether a distillation token has a head of its own; the logits then are the mean of both heads. */
  readonly distilledHead: boolean
  /** Length of CLIP's image embedding, a map of what a head would read; undefined: there is none. */
  readonly projection: number | undefined
}

/** A plain ViT or DeiT, as timm builds it (pre-norm, packed qkv). */
export interface VitConfig extends VitSwitches {
  readonly family: 'vit'
  /** Pixels. Multiples of the patch size. */
  readonly image: { readonly height: number; readonly width: number }
  /** Side of a patch in pixels. */
  readonly patchSize: number
  /** Colour channels: 3, or 1 for grey. */
  readonly channels: number
  /** C, the length of a token. */
  readonly width: number
  readonly depth: number
  readonly heads: number
  /** Hidden width of the MLP ÷ width. */
  readonly mlpRatio: number
  /** 0: a backbone without a head. */
  readonly classes: number
  readonly layerNormEpsilon: number
  /** DeiT's distillation token beside CLS. */
  readonly distilled: boolean
}

/** What every family that stands on the plain ViT shares with it. */
export type VitShape = Omit<VitConfig, 'family'>

/** The switches of the ViT that most papers mean. @param prefix tokens before the patches */
export function usualSwitches({ distilled }: { distilled: boolean }): VitSwitches {
  return {
    classToken: true,
    registers: 0,
    embeddedPrefix: distilled ? 2 : 1,
    positionResampling: undefined,
    patchBias: true,
    preNorm: false,
    qkvBias: true,
    projBias: true,
    qkNorm: false,
    layerScale: undefined,
    activation: 'gelu',
    finalNorm: 'tokens',
    pooling: 'token',
    distilledHead: distilled,
    projection: undefined,
  }
}

/** Rows and columns of patches. */
export function gridOf(config: Pick<VitConfig, 'image' | 'patchSize'>): { rows: number; columns: number } {
  return { rows: config.image.height / config.patchSize, columns: config.image.width / config.patchSize }
}

/** M, the number of patch tokens. */
export function patchCount(config: Pick<VitConfig, 'image' | 'patchSize'>): number {
  const { rows, columns } = gridOf(config)
  return rows * columns
}

/**
 * Hidden width of an MLP, cut to a whole number as timm does. What division and multiplication by the width leave of
 * a whole number in floating point is forgiven.
 */
export function mlpWidth({ width, mlpRatio }: Pick<VitConfig, 'width' | 'mlpRatio'>): number {
  return Math.trunc(width * mlpRatio + 1e-6)
}

/** Tokens before the patches: CLS, DIST if distilled, registers. */
export function prefixCount({
  classToken,
  distilled,
  registers,
}: Pick<VitConfig, 'classToken' | 'distilled' | 'registers'>): number {
  return Number(classToken) + Number(distilled) + registers
}

/** What the architecture of a family with patches says of its pictures and tokens. */
export function picturesAndTokens(config: VitShape) {
  const { image, channels, classes, patchSize } = config
  const tokens = { patchSize, grid: gridOf(config), prefix: prefixCount(config) }
  return { image, imageStep: patchSize, channels, classes, ...tokens }
}
