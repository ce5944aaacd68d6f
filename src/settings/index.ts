import { BlvitError } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'
import type { Bindings } from '../graph/dim.js'
import type { Architecture, SettingValue } from '../models/architecture.js'
import { composeHooks } from '../models/block-loop.js'
import type { BuildOptions } from '../models/model-definition.js'
import { keepRatio } from './keep-ratio.js'
import { type SettingName, settingNames } from './options.js'
import { reduce } from './reduce.js'
import { plainKey, type Setting } from './setting.js'

export type { SettingValue } from '../models/architecture.js'

/** What every setting does. Adding one is its file, a line here and how it is typed in `options.ts`. */
const settingKinds = { keepRatio, reduce } satisfies Record<SettingName, unknown>

type Kinds = typeof settingKinds

/** What is said of a run, e.g. `{ keepRatio: 0.5 }`; what isn't said is the model's own. */
export type Settings = {
  readonly [Name in keyof Kinds]?: (Kinds[Name] extends Setting<infer Value> ? Value : never) | undefined
}

/** Settings with everything that follows from them for one architecture. */
export interface ResolvedSettings {
  /** For people and for files; settings that differ for this model differ in it. {@link plainKey} where nothing is set. */
  readonly key: string
  /** Every setting that the model has, its own values included. */
  readonly values: Settings
  /** Run-time sizes of the graph. */
  readonly sizes: Bindings
  readonly build: BuildOptions
  /** Equal for settings that one loaded graph serves. */
  readonly buildKey: string
}

/** The setting of a name, its value's type forgotten: whoever goes through all of them knows only that they fit. */
function kindOf(name: SettingName): Setting {
  return settingKinds[name] as unknown as Setting
}

/** Only the settings among other options, so that they can be passed on by whoever knows none of them. */
export function settingsOf(options: Settings): Settings {
  return Object.fromEntries(
    settingNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  )
}

/** Settings from texts under their names. @throws BlvitError `BAD_OPTION` for a text that is no value */
export function parseSettings(texts: Readonly<Partial<Record<SettingName, string>>>): Settings {
  return Object.fromEntries(
    settingNames.flatMap((name) => {
      const text = texts[name]
      return text === undefined ? [] : [[name, kindOf(name).parse(text)]]
    }),
  )
}

/**
 * A text that is a value of some setting, as in `b+t@0.5`.
 * @throws BlvitError `BAD_OPTION` if it is of none
 */
export function parseSetting(text: string): Settings {
  const complaints: string[] = []
  for (const name of settingNames) {
    try {
      return parseSettings({ [name]: text })
    } catch (thrown) {
      if (!(thrown instanceof BlvitError)) throw thrown
      complaints.push(thrown.message)
    }
  }
  throw new BlvitError('BAD_OPTION', `"${text}" is no setting. ${complaints.join(' ')}`, { text })
}

/** What two settings decide together: sizes side by side, the hooks of one after those of the other. */
export function mergedBuild(a: BuildOptions, b: BuildOptions): BuildOptions {
  const hooks = [a.hooks, b.hooks].filter((each) => each !== undefined)
  return {
    ...a,
    ...b,
    ...(a.sizes || b.sizes ? { sizes: { ...a.sizes, ...b.sizes } } : {}),
    ...(hooks.length > 0 ? { hooks: composeHooks(...hooks) } : {}),
  }
}

/**
 * Decides what some settings mean for an architecture.
 * @throws BlvitError `BAD_OPTION` for an unknown setting, an impossible value, or one that the architecture can't take
 */
export function resolveSettings(architecture: Architecture, given: Settings = {}): ResolvedSettings {
  for (const name of Object.keys(given)) {
    if (settingNames.some((known) => known === name)) continue
    throw new BlvitError('BAD_OPTION', `There is no setting "${name}".${didYouMean(name, settingNames)}`)
  }
  const own = architecture.settings as Settings
  const values = settingsOf({ ...own, ...settingsOf(given) })
  const set = settingNames.flatMap((name) => {
    const value: SettingValue | undefined = values[name]
    if (value === undefined) return []
    const setting = kindOf(name)
    return [{ text: setting.print(value), decision: setting.decide(value, architecture) }]
  })
  const texts = (some: typeof set) => some.map(({ text }) => text).filter((text) => text !== '')
  return {
    key: texts(set).join(', ') || plainKey,
    values,
    sizes: Object.assign({}, ...set.map(({ decision }) => decision.sizes)),
    build: set.map(({ decision }) => decision.build ?? {}).reduce(mergedBuild, {}),
    buildKey: texts(set.filter(({ decision }) => decision.build !== undefined)).join(', '),
  }
}

/**
 * The settings that a search for a speed goes through, from the one that saves most work to the one that saves least:
 * those of the setting given, or of the one that the architecture has of its own.
 * @param given one setting at most
 * @returns none where there is no number to turn
 */
export function ladderOf(architecture: Architecture, given: Settings = {}): readonly Settings[] {
  const { values } = resolveSettings(architecture, given)
  const asked = settingNames.filter((name) => given[name] !== undefined)
  const [turned] = asked.length > 0 ? asked : settingNames.filter((name) => values[name] !== undefined)
  const value: SettingValue | undefined = turned && values[turned]
  if (turned === undefined || value === undefined) return []
  const ladder = kindOf(turned).ladder?.(value, architecture) ?? []
  return ladder.map((step) => ({ [turned]: step }) as Settings)
}
