import type { Tensor } from '../../graph/tensor.js'
import { performer } from './performer.js'
import { transformer } from './transformer.js'

/** What a token module makes. */
export interface TokenModuleOptions {
  /** E, the width of its tokens. */
  readonly width: number
  readonly layerNormEpsilon: number
}

/**
 * How T2T-ViT looks around between two cuts of the map into windows: attention among them, and an MLP, in the current
 * scope. @param windows `[batch, tokens, any width]` @returns `[batch, tokens, width]`
 */
export type TokenModule = (windows: Tensor, options: TokenModuleOptions) => Tensor

/** Every token module, under its name in `tokens_type`. Adding one is its file and a line here. */
export const tokenModules = { performer, transformer } satisfies Readonly<Record<string, TokenModule>>

export type TokenModuleName = keyof typeof tokenModules
