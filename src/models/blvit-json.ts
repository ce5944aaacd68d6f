import { z } from 'zod'
import { BlvitError } from '../errors/blvit-error.js'
import { parseWith } from '../errors/parse.js'
import type { ConfigJson } from './architecture.js'
import { type BlvitConfig, layerRange } from './blvit-config.js'
import { readVitShape, writeVitShape } from './vit-json.js'

const count = z.int().min(1)

/** The keys that bLViT adds to a ViT's config.json; absent ones have the paper's values. */
const schema = z.looseObject({
  full_layers: count.default(1),
  predictor_after: z.array(count).min(1).default([1, 4, 7, 10]),
  keep_ratio: z.number().gt(0).max(1).default(0.25),
  selection: z.enum(['predictor', 'cls', 'random']).default('predictor'),
  semi_cross: z.boolean().default(true),
  fuse: z.enum(['half', 'block']).default('half'),
  gamma: z.enum(['scalar', 'channel', 'zero']).default('scalar'),
  little: z
    .strictObject({
      embed_dim: count,
      num_heads: count,
      mlp_ratio: z.number().positive().default(4),
      /** Counted from 1; absent: every layer that is not full. */
      layers: z.array(count).optional(),
      initialisation: z.enum(['normal', 'zero']).default('normal'),
    })
    .nullable()
    .default(null),
})

function checked(config: BlvitConfig): BlvitConfig {
  const complain = (text: string) => new BlvitError('BAD_CONFIG', `config.json is not valid: ${text}.`)
  const { fullLayers, predictorAfter, depth, little } = config
  if (fullLayers >= depth)
    throw complain(`full_layers ${fullLayers} leaves none of the ${depth} layers to route`)
  const rising = predictorAfter.every((layer, i) => layer > (predictorAfter[i - 1] ?? 0))
  if (!rising || predictorAfter.some((layer) => layer >= depth)) {
    throw complain(`predictor_after [${predictorAfter}] must rise and stay below depth ${depth}`)
  }
  if (!predictorAfter.some((layer) => layer <= fullLayers)) {
    throw complain(
      `the first routed layer is ${fullLayers + 1}, but tokens are first chosen after layer ${predictorAfter[0]}: ` +
        `put a layer of at most ${fullLayers} into predictor_after`,
    )
  }
  if (little && little.width % little.heads !== 0) {
    throw complain(`little.embed_dim ${little.width} can't be shared by little.num_heads ${little.heads}`)
  }
  const misplaced = little?.layers.filter((layer) => layer <= fullLayers || layer > depth) ?? []
  if (misplaced.length > 0) {
    throw complain(`little.layers ${misplaced} lie outside the routed layers ${fullLayers + 1}…${depth}`)
  }
  return config
}

/** @throws BlvitError `BAD_CONFIG` naming every wrong key */
export function readBlvitConfig(json: ConfigJson): BlvitConfig {
  const keys = parseWith(schema, json, 'config.json')
  const shape = readVitShape(json)
  return checked({
    family: 'blvit',
    ...shape,
    fullLayers: keys.full_layers,
    predictorAfter: keys.predictor_after,
    keepRatio: keys.keep_ratio,
    selection: keys.selection,
    semiCross: keys.semi_cross,
    fuse: keys.fuse,
    gamma: keys.gamma,
    little: keys.little && {
      width: keys.little.embed_dim,
      heads: keys.little.num_heads,
      mlpRatio: keys.little.mlp_ratio,
      layers: keys.little.layers ?? layerRange(keys.full_layers + 1, shape.depth),
      initialisation: keys.little.initialisation,
    },
  })
}

export function writeBlvitConfig(config: BlvitConfig): ConfigJson {
  const { little } = config
  return {
    model_type: 'blvit',
    ...writeVitShape(config),
    full_layers: config.fullLayers,
    predictor_after: config.predictorAfter,
    keep_ratio: config.keepRatio,
    selection: config.selection,
    semi_cross: config.semiCross,
    fuse: config.fuse,
    gamma: config.gamma,
    little: little && {
      embed_dim: little.width,
      num_heads: little.heads,
      mlp_ratio: little.mlpRatio,
      layers: little.layers,
      initialisation: little.initialisation,
    },
  }
}
