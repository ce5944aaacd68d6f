import { readdirSync, readFileSync } from 'node:fs'
import type { BlvitConfig } from '../../src/models/blvit-config.js'
import { usualSwitches } from '../../src/models/vit-config.js'
import { hasSharedData, shared } from './shared-data.js'

/** Where the independent float64 bLViT's results lie. */
export const goldenBlvitFolder = shared('golden/blvit')

/** Names of its cases. */
export const goldenBlvitCases = hasSharedData
  ? readdirSync(goldenBlvitFolder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.replace('.json', ''))
  : []

/** What a case's JSON file says. */
export interface GoldenCase {
  configuration: {
    image: number
    patch: number
    in_chans: number
    dim: number
    depth: number
    heads: number
    mlp_ratio: number
    classes: number
    little_dim: number
    little_heads: number
    little_mlp_ratio: number
    little_layers: number[] | null
    full_layers: number
    predictor_after: number[]
    semi_cross: boolean
    little: boolean
    selection: 'predictor' | 'cls'
    fuse: 'half' | 'block'
    gamma_shape: 'scalar' | 'channel'
  }
  keep: number[]
  tolerance: number
}

/** The model of a case. */
export function configOf({ configuration: c }: GoldenCase): BlvitConfig {
  const everyLayer = Array.from({ length: c.depth - c.full_layers }, (_, i) => c.full_layers + 1 + i)
  return {
    family: 'blvit',
    ...usualSwitches({ distilled: false }),
    image: { height: c.image, width: c.image },
    patchSize: c.patch,
    channels: c.in_chans,
    width: c.dim,
    depth: c.depth,
    heads: c.heads,
    mlpRatio: c.mlp_ratio,
    classes: c.classes,
    layerNormEpsilon: 1e-6,
    distilled: false,
    fullLayers: c.full_layers,
    predictorAfter: c.predictor_after,
    keepRatio: 0.25,
    keepSchedule: [1],
    selection: c.selection,
    predictor: 'linear',
    semiCross: c.semi_cross,
    fuse: c.fuse,
    gamma: c.gamma_shape,
    little: c.little
      ? {
          width: c.little_dim,
          heads: c.little_heads,
          mlpRatio: c.little_mlp_ratio,
          attention: true,
          // the golden files count layers from 0
          layers: c.little_layers?.map((layer) => layer + 1) ?? everyLayer,
          initialisation: 'normal',
        }
      : null,
  }
}

export function readGoldenCase(name: string): GoldenCase {
  return JSON.parse(readFileSync(`${goldenBlvitFolder}/${name}.json`, 'utf8'))
}
