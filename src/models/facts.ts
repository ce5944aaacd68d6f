import type { BatchNorm } from './batch-norm.js'
import type { MaskFrame } from './masks/mask-frame.js'
import type { NameMap } from './name-map.js'

/** What is known of a parameter without reading it. */
export interface NamedShape {
  readonly name: string
  readonly shape: readonly number[]
}

/** A position embedding, whose rows a grid of patches decides. */
interface PositionEmbedding {
  /** The parameter. `[1, prefix + rows·columns, width]` */
  readonly parameter: string
  /** Rows before those of the patches, which no resampling touches. */
  readonly prefix: number
  /** How the library that the model is from fits it to pictures of another size; undefined: it takes none. */
  readonly resampling: PositionResampling | undefined
}

/** Bicubic, with or without a filter that widens where the grid shrinks. */
export const positionResamplings = ['bicubic', 'antialias'] as const
export type PositionResampling = (typeof positionResamplings)[number]

/** Biases of attention inside a square window, whose side the size of pictures decides. */
interface AttentionBiases {
  /** The parameter: a number a head for each distance of rows and columns. `[heads, side·side]` */
  readonly parameter: string
  readonly side: number
}

/** How the pictures of a network's training were made, for who finds no file that says it. */
export interface PictureFacts {
  readonly mean: readonly [number, number, number]
  readonly std: readonly [number, number, number]
  /** Share of the resized side that the input keeps. */
  readonly cropRatio: number
  readonly filter: 'bilinear' | 'bicubic'
}

/** Where a block stands in a graph. */
export interface BlockScopes {
  /** All of it, `blocks.3`. */
  readonly block: string
  /** Its first map that has a row for each token which the block, or its P-block, processes; undefined: it has no tokens. */
  readonly rows: string | undefined
}

/** The parts that models are made of, in the order in which data flows through them. */
export const partNames = [
  /** Patches to tokens. */
  'patchEmbedding',
  /** Position embedding and prefix tokens. */
  'tokens',
  /** The P-blocks; in a plain ViT all blocks. */
  'blocks',
  /** The E-blocks. */
  'littleBlocks',
  /** α and γ. */
  'gates',
  'predictors',
  'norm',
  'head',
  'other',
] as const
export type PartName = (typeof partNames)[number]

/** What a family says of its models, so that nobody else has to know how its parameters are called. */
export interface FamilyFacts {
  readonly depth: number
  /** Channels of a token. */
  readonly width: number
  /** Whether the first token is a class token. */
  readonly classToken: boolean
  /** Whether the second one is DeiT's distillation token. */
  readonly distilled: boolean
  /** Length of CLIP's image embedding; undefined: the model has none. */
  readonly projection: number | undefined
  /** The part that a parameter, or a scope with a dot behind it, belongs to. */
  partOf(name: string): PartName
  /** The layer whose depth a parameter shares: 0 for embeddings, `depth + 1` for everything after the last block. */
  layerOf(parameter: string): number
  /** The scopes of a layer, counted from 1. */
  blockScopes(layer: number): BlockScopes
  /** Whether a parameter is pulled towards 0 in training (spec §5). */
  isDecayed(parameter: NamedShape): boolean
  /** The parameter whose numbers this one begins with in block imitation; undefined: its own. */
  imitationStart?(parameter: string): string | undefined
  /**
   * The linear maps (`.weight`, `.bias`) to class scores. They read equal parts of `head_input`, in this order, and their
   * mean is the logits.
   */
  readonly heads: readonly string[]
  /** Undefined where there is none. */
  readonly positionEmbedding: PositionEmbedding | undefined
  /** Resampled, as the position embedding is, where pictures are of another size. Absent: there are none. */
  readonly attentionBiases?: readonly AttentionBiases[]
  /** Of checkpoints; the first that matches a name counts. Absent: there are none. */
  readonly batchNorms?: readonly BatchNorm[]
  /** Absent: as pictures for timm's ViTs. */
  readonly pictures?: PictureFacts
  /** Of models that cut things out of pictures: what these see, and what comes back. Absent: it has no masks. */
  readonly masks?: MaskFrame
  /** Other libraries' names of the same parameters. */
  readonly names: readonly NameMap[]
  /** Parameters that checkpoints of such models hold though these read them nowhere. */
  isUnread(parameter: string): boolean
}
