import type { Architecture, ConfigJson } from './architecture.js'
import { readArchitecture, withChanges } from './index.js'
import { vitKeys } from './vit-json.js'

/** What must agree between a ViT and the P-block that takes its weights. */
const sizes = [
  'patch_size',
  'in_chans',
  'embed_dim',
  'depth',
  'num_heads',
  'mlp_ratio',
  // of a T2T-ViT alone
  'tokens_type',
  'token_dim',
  // of a Segment Anything model, whose parts each have their own
  'vision_config.hidden_size',
  'vision_config.num_hidden_layers',
  'vision_config.num_attention_heads',
  'vision_config.mlp_dim',
  'vision_config.output_channels',
  'vision_config.image_size',
  'vision_config.patch_size',
  'vision_config.window_size',
  'vision_config.global_attn_indexes',
] as const

/** What a Segment Anything model's weights decide of a part beside its sizes. */
const decidedOfParts = {
  vision_config: ['layer_norm_eps', 'qkv_bias'],
  mask_decoder_config: ['layer_norm_eps'],
}

function isObject(value: unknown): value is ConfigJson {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What stands under a key, or under a key of a part: `vision_config.hidden_size`. */
function valueAt(json: ConfigJson, key: string): unknown {
  return key.split('.').reduce<unknown>((inside, name) => (isObject(inside) ? inside[name] : undefined), json)
}

/** The target's parts with what the source's weights decide of them. */
function inheritedParts(source: ConfigJson, target: ConfigJson): ConfigJson {
  return Object.fromEntries(
    Object.entries(decidedOfParts).flatMap(([part, keys]) => {
      const [theirs, ours] = [source[part], target[part]]
      if (!isObject(theirs) || !isObject(ours)) return []
      // a TinyViT's part has neither
      const shared = keys.filter((key) => key in theirs && key in ours)
      return [[part, { ...ours, ...Object.fromEntries(shared.map((key) => [key, theirs[key]])) }]]
    }),
  )
}

/** A key of config.json in which two models differ. */
export interface Difference {
  readonly key: string
  readonly source: unknown
  readonly target: unknown
}

function differences(keys: readonly string[], source: ConfigJson, target: ConfigJson): readonly Difference[] {
  return keys
    .map((key) => ({ key, source: valueAt(source, key), target: valueAt(target, key) }))
    .filter((both) => JSON.stringify(both.source) !== JSON.stringify(both.target))
}

/** Sizes of the ViT inside that keep a target from taking a source's weights. */
export function sizeDifferences(source: Architecture, target: Architecture): readonly Difference[] {
  return differences(sizes, source.json, target.json)
}

/** What became of a configuration that takes over weights. */
export interface Inherited {
  readonly architecture: Architecture
  /** What the target says otherwise, and the source's weights decide. */
  readonly overruled: readonly Difference[]
}

/**
 * The target's configuration, but with everything that the source's weights decide as the source has it: image size,
 * classes, epsilon, distillation and every switch of the ViT inside.
 * @param set config.json keys to change of that
 * @throws BlvitError `BAD_OPTION` for a key that the target doesn't have, `BAD_CONFIG`
 */
export function inheriting(source: Architecture, target: Architecture, set: ConfigJson = {}): Inherited {
  const decided = vitKeys().filter((key) => !(sizes as readonly string[]).includes(key))
  const kept = Object.entries(target.json).filter(([key]) => !decided.includes(key))
  const taken = decided.flatMap((key) => (key in source.json ? [[key, source.json[key]]] : []))
  // in the target's order of keys where it has them
  const json = {
    ...target.json,
    ...Object.fromEntries([...kept, ...taken]),
    ...inheritedParts(source.json, target.json),
  }
  for (const key of decided) if (!(key in source.json)) delete json[key]
  const overruled = differences(decided, source.json, target.json).filter(({ key }) => !(key in set))
  return { architecture: withChanges(readArchitecture(json), set), overruled }
}
