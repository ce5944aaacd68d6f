import { z } from 'zod'
import { predictionLayers } from './prediction-layers.js'
import { rankings } from './rankings.js'
import type { VitConfig } from './vit-config.js'

function namesOf<Name extends string>(table: Readonly<Record<Name, unknown>>): [Name, ...Name[]] {
  return Object.keys(table) as [Name, ...Name[]]
}

/** @param values built when the first config.json of a bLViT is read: a process that runs a plain ViT needs none */
function switchOf<Values extends z.ZodType>(paper: z.input<Values>, values: () => Values) {
  return { paper, values }
}

const count = () => z.int().min(1)

/**
 * Every switch of a big.LITTLE ViT (spec §5), under its key in config.json: the paper's value, which is the default, and
 * what it may be. Adding one is a line here; in {@link BlvitConfig} it has the same name in camel case.
 */
export const switches = {
  /** The first layers, plain ViT blocks on all tokens. */
  full_layers: switchOf(1, count),
  /** Layers after which tokens are chosen anew, counted from 1. */
  predictor_after: switchOf([1, 4, 7, 10], () => z.array(count()).min(1)),
  /** r, the share of patches that the P-block processes when nothing else is asked for. */
  keep_ratio: switchOf(0.25, () => z.number().gt(0).max(1)),
  /**
   * Beside the paper, whose selections all choose as many: a number for each, in proportion to which they choose, so that the
   * mean over the routed layers stays r. A later prediction layer knows better what matters, and fewer patches still do.
   */
  keep_schedule: switchOf([1], () => z.array(z.number().gt(0)).min(1)),
  /** What ranks the patches: the prediction layer, the last attention of the CLS token, or chance. */
  selection: switchOf('predictor', () => z.enum(namesOf(rankings))),
  /** What a prediction layer is: one linear map, or a norm and a small MLP. */
  predictor: switchOf('linear', () => z.enum(namesOf(predictionLayers))),
  /** Keys and values from all tokens (true) or from the primary ones only. */
  semi_cross: switchOf(true, () => z.boolean()),
  /** P and E meet after each half-block, or once at the end of the block. */
  fuse: switchOf('half', () => z.enum(['half', 'block'])),
  /** How much of the E-block's update a primary token takes: a learned scalar, one per channel, or none. */
  gamma: switchOf('scalar', () => z.enum(['scalar', 'channel', 'zero'])),
}

/** The switches as config.json has them. */
export type SwitchValues = {
  readonly [Key in keyof typeof switches]: z.infer<ReturnType<(typeof switches)[Key]['values']>>
}

type CamelCase<Key extends string> = Key extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Key

/** The switches under the names that the code uses. */
export type Switches = {
  readonly [Key in keyof SwitchValues as CamelCase<Key>]: SwitchValues[Key]
}

/** The small block that updates all tokens. */
export interface LittleConfig {
  /** c, the width inside. */
  readonly width: number
  readonly heads: number
  readonly mlpRatio: number
  /** Whether it has attention of its own; without it is the small MLP alone. */
  readonly attention: boolean
  /** Layers that have one, counted from 1. */
  readonly layers: readonly number[]
  /** `zero`: its last maps start at 0, so secondary tokens start unchanged. */
  readonly initialisation: 'normal' | 'zero'
}

/**
 * A big.LITTLE ViT: a ViT (the P-block's sizes) of which layers after `fullLayers` run the P-block on chosen
 * tokens only, and the E-block on all.
 */
export interface BlvitConfig extends Omit<VitConfig, 'family'>, Switches {
  readonly family: 'blvit'
  /** Absent: secondary tokens pass the big.LITTLE layers unchanged. */
  readonly little: LittleConfig | null
}

/** Layers `from … to`, counted from 1. */
export function layerRange(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}
