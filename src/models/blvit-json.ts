import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import { badConfig } from './bad-config.js'
import { type BlvitConfig, layerRange, type Switches, type SwitchValues, switches } from './blvit-config.js'
import { checkRouting } from './check-routing.js'
import { mlpWidth, patchCount } from './vit-config.js'
import { readVitShape, writeVitShape } from './vit-json.js'

const littleSchema = () => {
  const count = z.int().min(1).max(65_536)
  return z
    .strictObject({
      embed_dim: count,
      num_heads: count,
      mlp_ratio: z.number().positive().max(1_000).default(4),
      attention: z.boolean().default(true),
      /** Counted from 1; absent: every layer that is not full. */
      layers: z.array(count).optional(),
      initialisation: z.enum(['normal', 'zero']).default('normal'),
    })
    .nullable()
    .default(null)
}

type SwitchShape = {
  [Key in keyof typeof switches]: z.ZodDefault<ReturnType<(typeof switches)[Key]['values']>>
}

function switchShape(): SwitchShape {
  const shape = Object.entries(switches).map(([key, { paper, values }]) => [
    key,
    (values() as z.ZodType).default(paper),
  ])
  return Object.fromEntries(shape) as SwitchShape
}

/** The keys that bLViT adds to a ViT's config.json. */
const schema = z.lazy(() => z.looseObject({ ...switchShape(), little: littleSchema() }))

const switchKeys = Object.keys(switches) as (keyof typeof switches)[]

function camelCase(key: string): string {
  return key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}

/** The switches of a config.json, without the keys that are not switches. */
function switchesOf(json: SwitchValues): Switches {
  return Object.fromEntries(switchKeys.map((key) => [camelCase(key), json[key]])) as Switches
}

function jsonOf(config: Switches): ConfigJson {
  return Object.fromEntries(switchKeys.map((key) => [key, config[camelCase(key) as keyof Switches]]))
}

/** The paper's value of every switch. */
export const paperSwitches = switchesOf(
  Object.fromEntries(Object.entries(switches).map(([key, { paper }]) => [key, paper])) as SwitchValues,
)

function checked(config: BlvitConfig): BlvitConfig {
  const { predictorAfter, little } = config
  if (!config.classToken)
    throw badConfig('class_token false: patches are ranked by where the class token looks')
  checkRouting(config)
  if (little && mlpWidth(little) < 1) {
    throw badConfig(`little.mlp_ratio ${little.mlpRatio} leaves an MLP of embed_dim ${little.width} no width`)
  }
  const { keepRatio } = config
  if (keepRatio * patchCount(config) < 1) {
    throw badConfig(`keep_ratio ${keepRatio} keeps none of ${patchCount(config)} patches`)
  }
  const { keepSchedule } = config
  if (keepSchedule.length !== 1 && keepSchedule.length !== predictorAfter.length) {
    throw badConfig(
      `keep_schedule [${keepSchedule}] has ${keepSchedule.length} numbers: give one for each of the ${predictorAfter.length} ` +
        'of predictor_after, or [1] for equally many patches after each',
    )
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
    ...switchesOf(keys),
    little: keys.little && {
      width: keys.little.embed_dim,
      heads: keys.little.num_heads,
      mlpRatio: keys.little.mlp_ratio,
      attention: keys.little.attention,
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
    ...jsonOf(config),
    little: little && {
      embed_dim: little.width,
      num_heads: little.heads,
      mlp_ratio: little.mlpRatio,
      attention: little.attention,
      layers: little.layers,
      initialisation: little.initialisation,
    },
  }
}
