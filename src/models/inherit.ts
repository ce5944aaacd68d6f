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
] as const

/** A key of config.json in which two models differ. */
export interface Difference {
  readonly key: string
  readonly source: unknown
  readonly target: unknown
}

function differences(keys: readonly string[], source: ConfigJson, target: ConfigJson): readonly Difference[] {
  return keys
    .filter((key) => JSON.stringify(source[key]) !== JSON.stringify(target[key]))
    .map((key) => ({ key, source: source[key], target: target[key] }))
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
  const json = { ...target.json, ...Object.fromEntries([...kept, ...taken]) }
  for (const key of decided) if (!(key in source.json)) delete json[key]
  const overruled = differences(decided, source.json, target.json).filter(({ key }) => !(key in set))
  return { architecture: withChanges(readArchitecture(json), set), overruled }
}
