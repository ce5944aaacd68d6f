import type { OptionKeys } from '../base/check-options.js'
import * as settings from './index.js'
import type { Setting } from './setting.js'

// a table like any other: looked up by name
const kinds = { ...settings }

type Kinds = typeof kinds

export type SettingName = keyof Kinds

/** What a setting is set to. */
export type ValueOf<Name extends SettingName> = Kinds[Name] extends Setting<infer Value> ? Value : never

/** Settings that make another model of the same weights before it runs: what learns is made so beforehand. */
type RemakingName = {
  [Name in SettingName]: Kinds[Name] extends { remake: unknown } ? Name : never
}[SettingName]

/** Settings that have pictures answered in two stages, which only classification can be. */
type StagingName = {
  [Name in SettingName]: Kinds[Name] extends { firstStage: unknown } ? Name : never
}[SettingName]

/** Settings that say how a model runs and leave it as it is. */
export type RunSettingName = Exclude<SettingName, RemakingName | StagingName>

/** What is said of a run, e.g. `{ keepRatio: 0.5 }`; what isn't said is the model's own. */
export type Settings = { readonly [Name in SettingName]?: ValueOf<Name> | undefined }

/** What is said of how a model runs, as it is. */
export type RunSettings = Pick<Settings, RunSettingName>

export const settingNames = Object.keys(kinds) as readonly SettingName[]

/** The names of {@link Settings} among those of other options. */
export const settingKeys = Object.fromEntries(
  settingNames.map((name) => [name, true]),
) as OptionKeys<Settings>

export const runSettingNames = settingNames.filter(
  (name): name is RunSettingName => settingOf(name).remake === undefined && !isStaging(name),
)

/** Whether a setting has pictures answered in two stages. */
export function isStaging(name: SettingName): name is StagingName {
  return settingOf(name).firstStage !== undefined
}

/** The setting of a name, its value's type forgotten: whoever goes through all of them knows only that they fit. */
export function settingOf(name: SettingName): Setting {
  const kind: unknown = kinds[name]
  return kind as Setting
}

/** The names of {@link RunSettings} among those of other options. */
export const runSettingKeys = Object.fromEntries(
  runSettingNames.map((name) => [name, true]),
) as OptionKeys<RunSettings>

/** Only the settings among other options, so that they can be passed on by whoever knows none of them. */
export function settingsOf(options: Settings): Settings {
  return Object.fromEntries(
    settingNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  )
}

/** Settings without those that ask for two stages. */
export function oneStage(settings: Settings): Settings {
  return Object.fromEntries(
    settingNames.flatMap((name) =>
      isStaging(name) || settings[name] === undefined ? [] : [[name, settings[name]]],
    ),
  )
}
