import { z } from 'zod'
import { rankings } from './rankings/index.js'
import type { VitConfig } from './vit-config.js'

const count = z.int().min(1)

function namesOf<Name extends string>(table: Readonly<Record<Name, unknown>>): [Name, ...Name[]] {
  return Object.keys(table) as [Name, ...Name[]]
}

/**
 * Every switch of a big.LITTLE ViT (spec §5), under its key in config.json, with the paper's value as default.
 * Adding one is a line here; in {@link BlvitConfig} it has the same name in camel case.
 */
export const switches = z.object({
  /** The first layers, plain ViT blocks on all tokens. */
  full_layers: count.default(1),
  /** Layers after which tokens are chosen anew, counted from 1. */
  predictor_after: z.array(count).min(1).default([1, 4, 7, 10]),
  /** r, the share of patches that the P-block processes when nothing else is asked for. */
  keep_ratio: z.number().gt(0).max(1).default(0.25),
  /** What ranks the patches: the prediction layer, the last attention of the CLS token, or chance. */
  selection: z.enum(namesOf(rankings)).default('predictor'),
  /** Keys and values from all tokens (true) or from the primary ones only. */
  semi_cross: z.boolean().default(true),
  /** P and E meet after each half-block, or once at the end of the block. */
  fuse: z.enum(['half', 'block']).default('half'),
  /** How much of the E-block's update a primary token takes: a learned scalar, one per channel, or none. */
  gamma: z.enum(['scalar', 'channel', 'zero']).default('scalar'),
})

type CamelCase<Key extends string> = Key extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Key

/** The switches under the names that the code uses. */
export type Switches = {
  readonly [Key in keyof z.infer<typeof switches> as CamelCase<Key>]: z.infer<typeof switches>[Key]
}

/** The small block that updates all tokens. */
export interface LittleConfig {
  /** c, the width inside. */
  readonly width: number
  readonly heads: number
  readonly mlpRatio: number
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
