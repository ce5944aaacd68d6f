import { type Dim, sameDim } from '../../graph/dim.js'
import { keepsSize } from '../../graph/initialiser.js'
import { add, attention, expand } from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import type { ActivationName } from '../../nn/activations.js'
import { layerNorm } from '../../nn/layer-norm.js'
import { linear, widthOf } from '../../nn/linear.js'
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

/** One thing for each prompt, where it was one for all. */
function forEach(prompts: Dim, x: Tensor): Tensor {
  return sameDim(sizeAt(x, 0), prompts) ? x : expand(x, [prompts, ...x.shape.slice(1)])
}

/** Attention with four maps of their own, `name.q_proj`, … @returns `[prompts, queries, width]` */
function attend(
  name: string,
  { q, k, v }: Readonly<Record<'q' | 'k' | 'v', Tensor>>,
  { heads, innerWidth, prompts }: { heads: number; innerWidth: number; prompts: Dim },
): Tensor {
  return scope(name, () => {
    const mapOf = (map: string, x: Tensor, out: number) =>
      linear(map, x, { out, initialiser: keepsSize(widthOf(x)) })
    const mapped = (map: string, x: Tensor) => forEach(prompts, mapOf(map, x, innerWidth))
    const mixed = attention(mapped('q_proj', q), mapped('k_proj', k), mapped('v_proj', v), { heads })
    return mapOf('out_proj', mixed, widthOf(q))
  })
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
  const prompts = sizeAt(queries, 0)
  const norm = (name: string, x: Tensor) => layerNorm(name, x, { epsilon })
  const cross = { heads, innerWidth: width / downsample, prompts }
  const toImage = (name: string, { queries: q, keys: k }: TwoWayTokens) =>
    attend(name, { q: add(q, tokens), k: add(k, places), v: k }, cross)
  const selfAttention = (q: Tensor, isFirst: boolean): Tensor => {
    const placed = isFirst ? q : add(q, tokens)
    const seen = config.addsAlways ? placed : q
    const found = attend(
      'self_attn',
      { q: placed, k: placed, v: seen },
      { heads, innerWidth: width, prompts },
    )
    return isFirst && !config.addsAlways ? found : add(seen, found)
  }
  const layer = (before: TwoWayTokens, isFirst: boolean): TwoWayTokens => {
    const looked = norm('norm1', selfAttention(before.queries, isFirst))
    const asked = { queries: looked, keys: before.keys }
    const answered = norm('norm2', add(looked, toImage('cross_attn_token_to_image', asked)))
    const mlp = scope('mlp', () =>
      linearStack(answered, { names: mlpNames, hidden: mlpWidth, out: width, activation }),
    )
    const after = norm('norm3', add(answered, mlp))
    const told = attend(
      'cross_attn_image_to_token',
      { q: add(before.keys, places), k: add(after, tokens), v: after },
      cross,
    )
    return { queries: after, keys: norm('norm4', add(before.keys, told)) }
  }
  const layers: TwoWayTokens[] = []
  let state: TwoWayTokens = { queries, keys }
  for (let at = 0; at < config.depth; at++) {
    state = scope(`layers.${at}`, () => layer(state, at === 0))
    layers.push(state)
  }
  const last = add(state.queries, toImage('final_attn_token_to_image', state))
  return { layers, queries: norm('norm_final_attn', last), keys: state.keys }
}
