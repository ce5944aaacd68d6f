/** How a parameter starts before training, as a declaration; `model-store/initial-weights.ts` draws the numbers. */
export type Initialiser =
  | { readonly kind: 'constant'; readonly value: number }
  /** Normal, redrawn beyond two units (timm's `trunc_normal_`: absolute bounds ±2, not ±2 deviations). */
  | { readonly kind: 'truncatedNormal'; readonly deviation: number }
  /** Rows at right angles to each other, all of one length, in a random direction. */
  | { readonly kind: 'orthogonalRows'; readonly length: number }
  /** A fixed position embedding `[1, positions, width]`: sines of falling frequency, each beside its cosine. */
  | { readonly kind: 'sinusoid' }

export const zeros: Initialiser = { kind: 'constant', value: 0 }
export const ones: Initialiser = { kind: 'constant', value: 1 }
/** timm's default for every linear map, position embedding and class token. */
export const truncatedNormal: Initialiser = { kind: 'truncatedNormal', deviation: 0.02 }

/**
 * Normal numbers of deviation √(1 ⁄ inputs): each sum is about as large as what it sums up (LeCun et al. 1998). For small models
 * that begin with nothing: at {@link truncatedNormal} what passes several narrow maps is nearly 0, and so is what they learn.
 */
export function keepsSize(inputs: number): Initialiser {
  return { kind: 'truncatedNormal', deviation: Math.sqrt(1 / inputs) }
}

export function constantOf(value: number): Initialiser {
  return { kind: 'constant', value }
}
