import { z } from 'zod'
import { type T2tConfig, usualT2t } from '../../src/models/t2t-config.js'
import { gridOf, prefixCount } from '../../src/models/vit-config.js'
import type { Built, CaseFacts } from './method.js'

/** What methods on T2T-ViT write in `config`. */
export const t2tConfig = z.looseObject({
  /** That the weights are for; height and width if two. */
  img_size: z.union([z.int(), z.tuple([z.int(), z.int()])]),
  tokens_type: z.enum(['performer', 'transformer']),
  embed_dim: z.int(),
  depth: z.int(),
  num_heads: z.int(),
  mlp_ratio: z.number(),
  num_classes: z.int(),
  token_dim: z.int(),
  ln_eps: z.number().default(1e-5),
  qkv_bias: z.boolean().default(false),
  /** Of the blocks; the official code has another one for models that it downloads. */
  qk_scale: z.literal('head_dim**-0.5').nullish(),
})

export type T2tLike = z.output<typeof t2tConfig>

/** The model of a case. */
export function t2tOf(config: T2tLike, { image, channels }: CaseFacts): T2tConfig {
  return usualT2t({
    image,
    channels,
    tokenModule: config.tokens_type,
    tokenWidth: config.token_dim,
    width: config.embed_dim,
    depth: config.depth,
    heads: config.num_heads,
    mlpRatio: config.mlp_ratio,
    classes: config.num_classes,
    layerNormEpsilon: config.ln_eps,
    qkvBias: config.qkv_bias,
  })
}

/** Where the position embedding of a case is from and what it is for. */
export function t2tPositions(given: T2tLike, facts: CaseFacts): Built['positions'] {
  const config = t2tOf(given, facts)
  const [height, width] = Array.isArray(given.img_size) ? given.img_size : [given.img_size, given.img_size]
  const gridFor = (image: CaseFacts['image']) => {
    const { rows, columns } = gridOf({ ...config, image })
    return [rows, columns] as const
  }
  return { prefix: prefixCount(config), from: gridFor({ height, width }), to: gridFor(facts.image) }
}
