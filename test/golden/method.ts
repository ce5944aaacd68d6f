import { z } from 'zod'
import { parseWith } from '../../src/base/parse.js'
import type { Tensor } from '../../src/graph/tensor.js'
import type { BatchNorm } from '../../src/models/batch-norm.js'
import type { NameMap } from '../../src/models/name-map.js'
import type { EventValues } from '../../src/models/token-history.js'
import type { VitConfig } from '../../src/models/vit-config.js'
import { gridOf, prefixCount } from '../../src/models/vit-config.js'
import { usualVit } from '../../src/models/vit-family.js'
import type { ResizedPositions } from './position-embedding.js'

/** Stands for a whole number that the official code leaves open, such as the order of equal scores: any will do. */
export const anyIndex = Number.NaN

/** Numbers that follow from what an engine gives for some tensors, one picture at a time. */
export interface Derived {
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly row: (values: EventValues) => readonly number[]
  /** Where a picture's row depends on the others of its batch: nothing to compare of one alone. */
  readonly onlyTogether?: true
}

/** What stands beside an official output: a tensor, numbers that follow from several, or numbers known without running. */
export type Ours = Tensor | Derived | readonly number[]

/** A case, built with this program. Inputs of its tensors are fed from `in/…`, the pictures from `in/x`. */
export interface Built {
  /** By the name in the golden file, without `out/`. */
  readonly outputs: Readonly<Record<string, Ours>>
  /** What the golden gradients are the gradients of. `[1]` */
  readonly loss?: Tensor
  /**
   * The grids of the stored position embedding and of the pictures, which differ where a case is of another resolution;
   * absent: the model has none.
   */
  readonly positions?: Omit<ResizedPositions, 'width'> | undefined
  /** How the official code names the weights, where that isn't as timm does. */
  readonly names?: NameMap
  /** What is folded into them. Default: nothing. */
  readonly batchNorms?: readonly BatchNorm[]
}

/** What is known of a case's tensors before it is built. */
export interface CaseFacts {
  readonly image: { readonly height: number; readonly width: number }
  readonly channels: number
  /** Beside the pictures: recorded noise, targets, a teacher's answers. */
  readonly inputs: readonly string[]
}

/** Builds the cases of a folder whose golden.json has its name as `method`. */
export interface GoldenMethod {
  /** @param config a case's, as golden.json has it @throws BlvitError `BAD_CONFIG` */
  build(config: unknown, facts: CaseFacts): Built
}

/** A method that reads its own configuration, so that the table knows no type of them. */
export function goldenMethod<Config>(
  schema: z.ZodType<Config>,
  build: (config: Config, facts: CaseFacts) => Built,
): GoldenMethod {
  return { build: (config, facts) => build(parseWith(schema, config, "the case's config"), facts) }
}

/** What all ViT-like methods write in `config`; keys that only their own code reads may stand beside. */
export const vitConfig = z.looseObject({
  /** That the weights are for; height and width if two. */
  img_size: z.union([z.int(), z.tuple([z.int(), z.int()])]),
  patch_size: z.int(),
  embed_dim: z.int(),
  depth: z.int(),
  num_heads: z.int(),
  mlp_ratio: z.number().default(4),
  num_classes: z.int(),
  eps: z.number().default(1e-6),
  distilled: z.boolean().default(false),
  /** Without one, the head reads the mean of the patches. */
  class_token: z.boolean().default(true),
  qkv_bias: z.boolean().default(true),
})

export type VitLike = z.output<typeof vitConfig>

/** The model of a case. */
export function vitOf(config: VitLike, { image, channels }: CaseFacts): VitConfig {
  return usualVit({
    image,
    channels,
    patchSize: config.patch_size,
    width: config.embed_dim,
    depth: config.depth,
    heads: config.num_heads,
    mlpRatio: config.mlp_ratio,
    classes: config.num_classes,
    layerNormEpsilon: config.eps,
    distilled: config.distilled,
    ...(config.class_token ? {} : { classToken: false, embeddedPrefix: 0, pooling: 'mean' as const }),
    qkvBias: config.qkv_bias,
  })
}

/** Where the position embedding of a case is from and what it is for. */
export function positionsOf(given: VitLike, facts: CaseFacts): NonNullable<Built['positions']> {
  const config = vitOf(given, facts)
  const [height, width] = Array.isArray(given.img_size) ? given.img_size : [given.img_size, given.img_size]
  const gridFor = (image: CaseFacts['image']) => {
    const { rows, columns } = gridOf({ ...config, image })
    return [rows, columns] as const
  }
  return { prefix: prefixCount(config), from: gridFor({ height, width }), to: gridFor(facts.image) }
}
