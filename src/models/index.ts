import { BlvitError } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'
import type { Architecture, ConfigJson, ModelFamily } from './architecture.js'
import { badConfig, withoutComplaint } from './bad-config.js'
import * as everyFamily from './families.js'

/** Every family. */
export const families: readonly ModelFamily[] = Object.values(everyFamily)

/** All well-known configurations by name. */
export const presets: Readonly<Record<string, Architecture>> = Object.assign(
  {},
  ...families.map((family) => family.presets),
)

/** A well-known configuration, whatever the case of its letters; undefined if there is none of that name. */
export function findPreset(name: string): Architecture | undefined {
  return Object.hasOwn(presets, name.toLowerCase()) ? presets[name.toLowerCase()] : undefined
}

/** The complaint about a name that is no configuration. */
export function unknownConfiguration(name: string): BlvitError {
  const known = Object.keys(presets)
  return new BlvitError(
    'BAD_CONFIG',
    `There is no configuration "${name}".${didYouMean(name, known)} Known: ${known.join(', ')}; or give a folder or a config.json.`,
    { known },
  )
}

/**
 * Our own description of a model that other programs are told is a ViT, because they know no other, as in an
 * export for transformers.js; else the config.json as it is.
 */
function ownDescription(json: ConfigJson): ConfigJson {
  const { blvit } = json
  return typeof blvit === 'object' && blvit !== null ? { ...blvit } : json
}

/** The key of config.json that holds the reduction which a model was made for. */
const reductionKey = 'reduction'

/**
 * The architecture with the reduction that its config.json names: how it runs where nobody says otherwise. Whether there
 * is such a one is known to who opens the model.
 */
function withReduction(architecture: Architecture, reduction: unknown): Architecture {
  if (reduction === undefined || reduction === null || reduction === 'none') return architecture
  if (typeof reduction !== 'string') {
    throw badConfig(`${reductionKey} must be a text like "evit:0.7", not ${JSON.stringify(reduction)}`)
  }
  return {
    ...architecture,
    plain: architecture,
    json: { ...architecture.json, [reductionKey]: reduction },
    settings: { ...architecture.settings, reduce: reduction },
  }
}

/**
 * The architecture that a config.json describes.
 * @throws BlvitError `BAD_CONFIG` if no family knows it or it is not valid
 */
export function readArchitecture(given: ConfigJson): Architecture {
  const json = ownDescription(given)
  for (const family of families) {
    const architecture = family.read(json)
    if (architecture) return withReduction(architecture, json[reductionKey])
  }
  const type = json.model_type ?? json.architecture
  throw new BlvitError(
    'BAD_CONFIG',
    `config.json describes a ${type === undefined ? 'model without model_type or architecture' : `"${type}"`}; ` +
      `blvit knows ${families.map(({ name }) => name).join(', ')} (timm's vit_* and deit_* and Hugging Face's vit and deit included).`,
  )
}

/**
 * A copy of an architecture with some config.json keys changed.
 * @throws BlvitError `BAD_OPTION` for a key that it doesn't have, or values that make no model
 */
export function withChanges(architecture: Architecture, changes: ConfigJson): Architecture {
  const known = [
    ...new Set([
      ...Object.keys(architecture.json),
      ...(families.find(({ name }) => name === architecture.family)?.switches ?? []),
      ...(architecture.takesHooks ? [reductionKey] : []),
    ]),
  ]
  for (const key of Object.keys(changes)) {
    if (!known.includes(key)) {
      throw new BlvitError(
        'BAD_OPTION',
        `A ${architecture.family} has no setting "${key}".${didYouMean(key, known)} It has ${known.join(', ')}.`,
      )
    }
  }
  try {
    return readArchitecture({ ...architecture.json, ...changes })
  } catch (cause) {
    if (!(cause instanceof BlvitError)) throw cause
    // the file was right before it was changed: whoever wants the change is told
    const changed = Object.entries(changes).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    throw new BlvitError(
      'BAD_OPTION',
      `${changed.join(', ')} is not possible: ${withoutComplaint(cause)}`,
      changes,
      {
        cause,
      },
    )
  }
}
