import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import { size } from './config-values.js'

/** What timm's config.json holds beside a network's arguments. */
const timmFile = z.lazy(() =>
  z.looseObject({
    architecture: z.string().optional(),
    model_args: z.record(z.string(), z.unknown()).nullish(),
    pretrained_cfg: z
      .looseObject({
        input_size: z.tuple([size, size, size]).optional(),
        num_classes: z.int().min(0).max(65_536).optional(),
      })
      .nullish(),
  }),
)

function bad(text: string): BlvitError {
  return new BlvitError('BAD_CONFIG', `config.json is not valid: ${text}.`)
}

/**
 * The arguments of a network from a config.json of timm's form, or of ours, which has them at the top: what the architecture's
 * name says, then `pretrained_cfg`, then the top level, then `model_args`.
 * @param options `keys`: makes the schemas of all arguments, which whoever opens another network's config.json need not wait for; `argumentsOfName`: what a name such as `efficientvit_m5` stands for
 * @throws BlvitError `BAD_CONFIG` naming every key that is wrong, unknown or missing
 */
export function readTimmForm<Keys extends Readonly<Record<string, z.ZodType>>>(
  json: ConfigJson,
  {
    keys: keysOf,
    argumentsOfName,
  }: { keys: () => Keys; argumentsOfName: (architecture: string) => ConfigJson | undefined },
): z.output<z.ZodObject<Keys>> {
  const {
    architecture,
    model_args: given,
    pretrained_cfg: pretrained,
  } = parseWith(timmFile, json, 'config.json')
  const keys = keysOf()
  const named = architecture === undefined ? {} : argumentsOfName(architecture)
  if (named === undefined) throw bad(`blvit doesn't know the architecture "${architecture}"`)
  const [channels, ...image] = pretrained?.input_size ?? []
  const top = Object.fromEntries(
    Object.entries(json).filter(([key, value]) => Object.hasOwn(keys, key) && value != null),
  )
  const { img_size: imageSize, ...others } = given ?? {}
  const stated: ConfigJson = { ...(imageSize === undefined ? {} : { image_size: imageSize }), ...others }
  for (const [key, value] of Object.entries(stated)) {
    if (!(key in top) || JSON.stringify(top[key]) === JSON.stringify(value)) continue
    throw bad(
      `"${key}" is ${JSON.stringify(top[key])}, but in model_args it is ${JSON.stringify(value)}: remove one of them`,
    )
  }
  const all = {
    ...named,
    ...(channels === undefined ? {} : { in_chans: channels, image_size: image }),
    ...(pretrained?.num_classes === undefined ? {} : { num_classes: pretrained.num_classes }),
    ...top,
    ...stated,
  }
  return parseWith(z.strictObject(keys), all, 'config.json')
}
