/** A plain ViT or DeiT, as timm builds it (pre-norm, exact GELU, packed qkv, CLS token). */
export interface VitConfig {
  readonly family: 'vit'
  /** Pixels. Multiples of the patch size. */
  readonly image: { readonly height: number; readonly width: number }
  /** Side of a patch in pixels. */
  readonly patchSize: number
  /** Colour channels, 3. */
  readonly channels: number
  /** C, the length of a token. */
  readonly width: number
  readonly depth: number
  readonly heads: number
  /** Hidden width of the MLP ÷ width. */
  readonly mlpRatio: number
  readonly classes: number
  readonly layerNormEpsilon: number
  /** DeiT's distillation token beside CLS, with a head of its own; the logits are the mean of both heads. */
  readonly distilled: boolean
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

/** Tokens before the patches: CLS, and DIST if distilled. */
export function prefixCount(config: Pick<VitConfig, 'distilled'>): number {
  return config.distilled ? 2 : 1
}
