import { BlvitError } from '../base/blvit-error.js'
import { checkOptions } from '../base/check-options.js'
import type { Bindings } from '../graph/dim.js'
import type { Architecture, SettingValue } from '../models/architecture.js'
import { composeHooks } from '../models/block-loop.js'
import { withChanges } from '../models/index.js'
import type { BuildOptions } from '../models/model-definition.js'
import { parseReduction, withFilesRead } from '../reduction/parse-reduction.js'
import { plainKey, type ReadFile, type SettingTools } from './setting.js'
import {
  isStaging,
  oneStage,
  runSettingNames,
  type SettingName,
  type Settings,
  settingKeys,
  settingNames,
  settingOf,
  settingsOf,
} from './settings.js'

const tools: SettingTools = { parseReduction, withFilesRead, withChanges }

/** Settings with everything that follows from them for one architecture. */
export interface ResolvedSettings {
  /** For people and for files; settings that differ for this model differ in it. {@link plainKey} where nothing is set. */
  readonly key: string
  /** Every setting that the model has, its own values included. */
  readonly values: Settings
  /** What is run: the model itself, or what settings make of it, such as one of a smaller grid. */
  readonly architecture: Architecture
  /** Run-time sizes of the graph. */
  readonly sizes: Bindings
  readonly build: BuildOptions
  /** Equal for settings that one loaded graph serves. */
  readonly buildKey: string
}

/**
 * Settings, or texts under their names, with what files hold that they name: nothing after this needs a file.
 * @throws BlvitError of `readFile`; `BAD_DATA`, `BAD_OPTION` for a file of something else
 */
export async function withFilesOf<Texts extends Partial<Record<SettingName, unknown>>>(
  given: Texts,
  readFile: ReadFile,
): Promise<Texts> {
  const read = settingNames.map(async (name) => {
    const text = given[name]
    const value = typeof text === 'string' ? await settingOf(name).read?.(text, readFile, tools) : undefined
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...given, ...Object.fromEntries((await Promise.all(read)).flat()) }
}

/** The same of a text that is a value of some setting. */
export async function withFilesOfText(given: string, readFile: ReadFile): Promise<string> {
  let text = given
  for (const name of settingNames) text = (await settingOf(name).read?.(text, readFile, tools)) ?? text
  return text
}

/** Settings from texts under their names. @throws BlvitError `BAD_OPTION` for a text that is no value */
export function parseSettings(texts: Readonly<Partial<Record<SettingName, string>>>): Settings {
  return Object.fromEntries(
    settingNames.flatMap((name) => {
      const text = texts[name]
      return text === undefined ? [] : [[name, settingOf(name).parse(text, tools)]]
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
    const { unit = '' } = settingOf(name)
    // it has no form without its name
    if (isStaging(name)) continue
    if (!text.trimEnd().endsWith(unit)) continue
    try {
      return parseSettings({ [name]: text.trimEnd().slice(0, text.trimEnd().length - unit.length) })
    } catch (thrown) {
      if (!(thrown instanceof BlvitError)) throw thrown
      complaints.push(thrown.message)
    }
  }
  throw new BlvitError('BAD_OPTION', `"${text}" is no setting. ${complaints.join(' ')}`, { text })
}

/** A value of a setting from outside. @throws BlvitError `BAD_OPTION` if it is none */
export function checkSetting(name: SettingName, value: unknown): SettingValue {
  return settingOf(name).check(value, tools)
}

/**
 * A setting's value on the way from one to another.
 * @param share 0: `from`, 1: `to`
 * @throws BlvitError `BAD_OPTION` if there is no way between the two
 */
export function settingBetween(
  name: SettingName,
  { from, to, share }: { readonly from: SettingValue; readonly to: SettingValue; readonly share: number },
  architecture: Architecture,
): SettingValue {
  const setting = settingOf(name)
  if (setting.between) return setting.between(from, to, share, architecture, tools)
  throw new BlvitError('BAD_OPTION', `${name} has no values between ${from} and ${to}. Give one, or a list.`)
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

/** Whether one setting takes the place of another. */
function isInPlaceOf(a: SettingName, b: SettingName): boolean {
  return settingOf(a).replaces?.includes(b) ?? false
}

/**
 * Settings over those that hold where they say nothing.
 * @throws BlvitError `BAD_OPTION` for two of the given ones in each other's place
 */
export function settingsOver(usual: Settings, given: Settings): Settings {
  const asked = settingNames.filter((name) => given[name] !== undefined)
  for (const name of asked) {
    const other = asked.find((one) => isInPlaceOf(name, one))
    if (other === undefined) continue
    const [flags, others] = [name, other].map((one) => settingOf(one).flags)
    const message = `${flags} and ${others} say the same thing in two ways. Give one of them.`
    throw new BlvitError('BAD_OPTION', message, { settings: [name, other] })
  }
  const holds = (name: SettingName) => !asked.some((one) => isInPlaceOf(one, name) || isInPlaceOf(name, one))
  const kept = settingNames.filter(holds).map((name) => [name, usual[name]])
  return settingsOf({ ...Object.fromEntries(kept), ...settingsOf(given) })
}

/** Settings in the two stages that one of them asks for. */
interface Stages {
  readonly last: Settings
  readonly first: { readonly settings: Settings; readonly sureFrom: number } | undefined
  /** What asks for two, as people read it; else empty. */
  readonly text: string
}

/** @throws BlvitError `BAD_OPTION` for a value that is none */
function stagesOf(architecture: Architecture, given: Settings): Stages {
  const last = oneStage(given)
  for (const name of settingNames) {
    const { firstStage, check, print } = settingOf(name)
    if (!firstStage || given[name] === undefined) continue
    const value = check(given[name], tools)
    const stage = firstStage(value)
    if (!stage) continue
    const settings = settingsOver(last, stage.first)
    return { last, first: { settings, sureFrom: stage.sureFrom }, text: print(value, architecture, tools) }
  }
  return { last, first: undefined, text: '' }
}

/** Settings of which some may ask for two stages. */
export interface StagedSettings extends ResolvedSettings {
  /** What is run first, and the probability from which on its answer counts; undefined: there is one stage. */
  readonly first: { readonly resolved: ResolvedSettings; readonly sureFrom: number } | undefined
}

/**
 * As {@link resolveSettings}, for classification, which can be done in two stages: what it resolves is the last one.
 * @throws BlvitError as {@link resolveSettings}
 */
export function resolveStages(architecture: Architecture, given: Settings = {}): StagedSettings {
  checkOptions('setting', given, settingKeys)
  const { first, last, text } = stagesOf(architecture, given)
  const whole = resolveSettings(architecture, last)
  if (!first) return { ...whole, first }
  const staging = Object.fromEntries(settingNames.filter(isStaging).map((name) => [name, given[name]]))
  return {
    ...whole,
    key: [text, ...(whole.key === plainKey ? [] : [whole.key])].join(', '),
    values: settingsOf({ ...whole.values, ...staging }),
    first: { resolved: resolveSettings(architecture, first.settings), sureFrom: first.sureFrom },
  }
}

/** @throws BlvitError `BAD_OPTION` for settings that ask for two stages */
function checkOneStage(architecture: Architecture, given: Settings): void {
  const { text } = stagesOf(architecture, given)
  if (text !== '') throw onlyClassification(text)
}

/** The complaint about two stages of something that has one. @param setting what asks for them */
export function onlyClassification(setting: string): BlvitError {
  const message = `Only classification is done in two stages (classify, eval), so this can't be done with ${setting}. Leave it out.`
  return new BlvitError('BAD_OPTION', message, { setting })
}

/**
 * Decides what some settings mean for an architecture.
 * @throws BlvitError `BAD_OPTION` for an unknown setting, an impossible value, one that the architecture can't take, or one
 *   that asks for two stages ({@link resolveStages})
 */
export function resolveSettings(architecture: Architecture, given: Settings = {}): ResolvedSettings {
  checkOptions('setting', given, settingKeys)
  checkOneStage(architecture, given)
  const values = settingsOver(architecture.settings as Settings, given)
  const { remade, changes } = remadeBy(values, architecture)
  const set = runSettingNames.flatMap((name) => {
    const value: SettingValue | undefined = values[name]
    if (value === undefined) return []
    const setting = settingOf(name)
    const decision = setting.decide?.(value, remade, tools) ?? {}
    return [{ text: setting.print(value, remade, tools), decision }]
  })
  const texts = (some: typeof set) => some.map(({ text }) => text).filter((text) => text !== '')
  return {
    key: [...changes, ...texts(set)].join(', ') || plainKey,
    values,
    architecture: remade,
    sizes: Object.assign({}, ...set.map(({ decision }) => decision.sizes)),
    build: set.map(({ decision }) => decision.build ?? {}).reduce(mergedBuild, {}),
    buildKey: [...changes, ...texts(set.filter(({ decision }) => decision.build !== undefined))].join(', '),
  }
}

/** What settings make of a model before it runs, and the texts of those that change it. */
function remadeBy(
  values: Settings,
  architecture: Architecture,
): { readonly remade: Architecture; readonly changes: readonly string[] } {
  const changes: string[] = []
  const remade = settingNames.reduce((before, name) => {
    const value: SettingValue | undefined = values[name]
    const { remake, print, check } = settingOf(name)
    if (!remake || value === undefined) return before
    const after = remake(check(value, tools), before, tools)
    if (after !== before) changes.push(print(value, before, tools))
    return after
  }, architecture)
  return { remade, changes }
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
  const ladder = settingOf(turned).ladder?.(value, architecture, tools) ?? []
  return ladder.map((step) => ({ [turned]: step }) as Settings)
}

// as many as a curve needs
const spreadSteps = 4

/**
 * A few settings spread evenly over what a model can be turned to by its own number: keep ratios 0.25, 0.5, 0.75 and 1.
 * @returns none for a model without one
 */
export function spreadOf(architecture: Architecture): readonly Settings[] {
  const ladder = ladderOf(architecture)
  const place = (step: number) => Math.ceil((ladder.length * (step + 1)) / spreadSteps) - 1
  return Array.from({ length: spreadSteps }, (_, step) => ladder[place(step)] ?? []).flat()
}
