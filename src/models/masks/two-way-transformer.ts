import { keepsSize } from '../../graph/initialiser.js'
import { add, attention } from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import type { Tensor } from '../../graph/tensor.js'
import type { ActivationName } from '../../nn/activations.js'
import { layerNorm } from '../../nn/layer-norm.js'
import { linear, widthOf } from '../../nn/linear.js'
import { type ImagePlaces, imageToTokens, tokensToImage } from './few-tokens.js'
import { linearStack } from './linear-stack.js'

export interface TwoWayConfig {
  readonly depth: number
  readonly heads: number
  /** Hidden width of the MLPs. */
  readonly mlpWidth: number
  readonly activation: ActivationName
  /** The names of an MLP's maps. */
  readonly mlpNames: readonly string[]
  /** Width ÷ what the heads of attention between tokens and image share. */
  readonly downsample: number
  readonly layerNormEpsilon: number
  /**
   * EfficientSAM's self-attention: what it finds is added in the first layer too, and in the others the tokens keep the
   * encodings that they were given for it.
   */
  readonly addsAlways: boolean
}

/** Tokens that ask and places of the image that answer. */
export interface TwoWayTokens {
  /** `[prompts, tokens, width]` */
  readonly queries: Tensor
  /** `[prompts, places, width]`; 1 for all prompts before they differ */
  readonly keys: Tensor
}

/** Attention among tokens with four maps of their own, `self_attn.q_proj`, … @returns `[prompts, tokens, width]` */
function selfAttend({ q, k, v }: Readonly<Record<'q' | 'k' | 'v', Tensor>>, heads: number): Tensor {
  const width = widthOf(q)
  const mapOf = (map: string, x: Tensor) => linear(map, x, { out: width, initialiser: keepsSize(width) })
  return scope('self_attn', () =>
    mapOf('out_proj', attention(mapOf('q_proj', q), mapOf('k_proj', k), mapOf('v_proj', v), { heads })),
  )
}

/**
 * The two-way transformer of SAM's decoder (Kirillov et al. 2023, appendix A): tokens look at each other and at the image, the
 * image looks at the tokens.
 * @param first the tokens' and the places' encodings, which are added wherever they look or are looked at:
 *   `tokens [prompts, tokens, width]`, `places [1, places, width]`
 * @returns what it began with and what each layer left, in order; the last has passed the final attention to the image
 */
export function twoWayTransformer(
  { queries, keys }: TwoWayTokens,
  { tokens, places }: { readonly tokens: Tensor; readonly places: Tensor },
  config: TwoWayConfig,
): { readonly layers: readonly TwoWayTokens[]; readonly queries: Tensor; readonly keys: Tensor } {
  const { heads, downsample, layerNormEpsilon: epsilon, mlpWidth, mlpNames, activation } = config
  const width = widthOf(queries)
  const norm = (name: string, x: Tensor) => layerNorm(name, x, { epsilon })
  const cross = { heads, innerWidth: width / downsample }
  const imageOf = (plain: Tensor): ImagePlaces => ({ plain, placed: add(plain, places) })
  const selfAttention = (q: Tensor, isFirst: boolean): Tensor => {
    const placed = isFirst ? q : add(q, tokens)
    const seen = config.addsAlways ? placed : q
    const found = selfAttend({ q: placed, k: placed, v: seen }, heads)
    return isFirst && !config.addsAlways ? found : add(seen, found)
  }
  const layer = (before: TwoWayTokens, isFirst: boolean): TwoWayTokens => {
    const image = imageOf(before.keys)
    const looked = norm('norm1', selfAttention(before.queries, isFirst))
    const seen = tokensToImage('cross_attn_token_to_image', add(looked, tokens), image, cross)
    const answered = norm('norm2', add(looked, seen))
    const mlp = scope('mlp', () =>
      linearStack(answered, { names: mlpNames, hidden: mlpWidth, out: width, activation }),
    )
    const after = norm('norm3', add(answered, mlp))
    const asked = { keys: add(after, tokens), values: after }
    const told = imageToTokens('cross_attn_image_to_token', image, asked, cross)
    return { queries: after, keys: norm('norm4', add(before.keys, told)) }
  }
  const layers: TwoWayTokens[] = []
  let state: TwoWayTokens = { queries, keys }
  for (let at = 0; at < config.depth; at++) {
    state = scope(`layers.${at}`, () => layer(state, at === 0))
    layers.push(state)
  }
  const asking = add(state.queries, tokens)
  const seen = tokensToImage('final_attn_token_to_image', asking, imageOf(state.keys), cross)
  const last = add(state.queries, seen)
  return { layers, queries: norm('norm_final_attn', last), keys: state.keys }
}
