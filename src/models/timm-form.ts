import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import { badConfig } from './bad-config.js'
import { classCount, size } from './config-values.js'

/** What timm's config.json holds beside a network's arguments. */
export const timmKeys = {
  architecture: z.string().optional(),
  model_args: z.record(z.string(), z.unknown()).nullish(),
  pretrained_cfg: z
    .looseObject({ input_size: z.tuple([size, size, size]).optional(), num_classes: classCount.optional() })
    .nullish(),
}

const timmFile = z.lazy(() => z.looseObject(timmKeys))

/**
 * Where the top level and `model_args` say something else, nobody can tell which one the weights follow.
 * @throws BlvitError `BAD_CONFIG`
 */
export function refuseContradictions(top: ConfigJson, model: ConfigJson): void {
  for (const [key, value] of Object.entries(model)) {
    const other = top[key]
    if (value === undefined || other == null || JSON.stringify(value) === JSON.stringify(other)) continue
    throw badConfig(
      `"${key}" is ${JSON.stringify(other)}, but in model_args it is ${JSON.stringify(value)}: remove one of them`,
    )
  }
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
  if (named === undefined) throw badConfig(`blvit doesn't know the architecture "${architecture}"`)
  const [channels, ...image] = pretrained?.input_size ?? []
  const top = Object.fromEntries(
    Object.entries(json).filter(([key, value]) => Object.hasOwn(keys, key) && value != null),
  )
  const { img_size: imageSize, ...others } = given ?? {}
  const stated: ConfigJson = { ...(imageSize === undefined ? {} : { image_size: imageSize }), ...others }
  refuseContradictions(top, stated)
  const all = {
    ...named,
    ...(channels === undefined ? {} : { in_chans: channels, image_size: image }),
    ...(pretrained?.num_classes === undefined ? {} : { num_classes: pretrained.num_classes }),
    ...top,
    ...stated,
  }
  return parseWith(z.strictObject(keys), all, 'config.json')
}
