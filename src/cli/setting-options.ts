import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Settings } from '../settings/settings.js'
import {
  isStaging,
  type RunSettingName,
  runSettingNames,
  type SettingName,
  settingNames,
  settingOf,
} from '../settings/settings.js'
import { commaSeparated } from './option-values.js'

/** What {@link withSettings} adds, as texts: what they mean is read when the engine is on its way. */
export type SettingFlags = Readonly<Partial<Record<SettingName, string>>>

/** What {@link withRunSettings} adds. */
export type RunSettingFlags = Pick<SettingFlags, RunSettingName>

/** What {@link withManySettings} adds. */
export type ManySettingFlags = Readonly<Partial<Record<SettingName, readonly string[]>>>

/** What {@link withManyRunSettings} adds. */
export type ManyRunSettingFlags = Pick<ManySettingFlags, RunSettingName>

/** Of two values one would be forgotten without a word. */
function givenOnce(text: string, earlier?: string): string {
  if (earlier === undefined) return text
  throw new InvalidArgumentError(`It was given before, as ${earlier}, and this command takes one.`)
}

function addSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const { flags, placeholder, about } = settingOf(name)
    command.addOption(new Option(`${flags} <${placeholder}>`, about).argParser(givenOnce))
  }
  return command
}

/** Those that a command takes: what asks for two stages is for classification alone. */
interface TakenSettings {
  /** Whether the command classifies, so that it can do so in two stages. Default false. */
  readonly staged?: boolean
}

function taken({ staged = false }: TakenSettings): readonly SettingName[] {
  return staged ? settingNames : settingNames.filter((name) => !isStaging(name))
}

/** Adds an option for each setting of `src/settings/` that the command takes. */
export function withSettings(command: Command, options: TakenSettings = {}): Command {
  return addSettings(command, taken(options))
}

/** Adds an option for each setting that leaves the model as it is, for a command whose model goes on to be another. */
export function withRunSettings(command: Command): Command {
  return addSettings(command, runSettingNames)
}

function addManySettings(command: Command, names: readonly SettingName[], several: string): Command {
  for (const name of names) {
    const { flags, placeholder, about, separator } = settingOf(name)
    const option = new Option(`${flags} <${placeholder},…>`, `${about}; ${several}`)
    const split = commaSeparated((text) => text, separator)
    const added = (text: string, earlier: readonly string[] = []) => [...earlier, ...split(text)]
    command.addOption(option.argParser(added))
  }
  return command
}

/** Adds an option for each setting, which takes several values with commas between them. */
export function withManySettings(command: Command, options: TakenSettings = {}): Command {
  return addManySettings(command, taken(options), 'several with commas between them')
}

/**
 * Adds one for each that leaves the model as it is.
 * @param several what is done with several values
 */
export function withManyRunSettings(command: Command, several: string): Command {
  return addManySettings(command, runSettingNames, several)
}

/** The settings among the flags of a command. @throws BlvitError `BAD_OPTION` for a text that is no value */
export async function settingsFrom(flags: SettingFlags): Promise<Settings> {
  // nothing to read: the methods are loaded when the model is, beside the engine
  if (!hasSettings(flags)) return {}
  const { readTypedSettings } = await import('../tasks/node/read-settings.js')
  return readTypedSettings(flags)
}

/** Settings with one of them each, one for each value that was given. */
async function typedSettings(
  flags: ManySettingFlags,
  names: readonly SettingName[],
): Promise<readonly Settings[]> {
  const { readTypedSettings } = await import('../tasks/node/read-settings.js')
  const all: Settings[] = []
  for (const name of names) {
    for (const text of flags[name] ?? []) all.push(await readTypedSettings({ [name]: text }))
  }
  return all
}

/**
 * One for each value that was given, with each of those that say how the others are meant; undefined where none was.
 * @throws BlvitError `BAD_OPTION`
 */
export async function manySettingsFrom(flags: ManySettingFlags): Promise<readonly Settings[] | undefined> {
  const isQualifier = (name: SettingName) => settingOf(name).qualifies === true
  const runs = await typedSettings(
    flags,
    settingNames.filter((name) => !isQualifier(name)),
  )
  const qualifiers = await typedSettings(flags, settingNames.filter(isQualifier))
  if (qualifiers.length === 0) return runs.length === 0 ? undefined : runs
  if (runs.length === 0) return qualifiers
  return runs.flatMap((run) => qualifiers.map((qualifier) => ({ ...run, ...qualifier })))
}

/** Whether any was given. */
export function hasSettings(flags: SettingFlags): boolean {
  return settingNames.some((name) => flags[name] !== undefined)
}

/** Settings that are typed without their names, as in `0.25 evit:0.7`. @throws BlvitError `BAD_OPTION` */
export async function unnamedSettings(texts: readonly string[]): Promise<readonly Settings[]> {
  const { readTypedSetting } = await import('../tasks/node/read-settings.js')
  return Promise.all(texts.map(readTypedSetting))
}

/** Flags without the settings among them, for those that take settings in another form. */
export function withoutSettings<Flags extends object>(flags: Flags): Omit<Flags, SettingName> {
  const names: readonly string[] = settingNames
  const others = Object.entries(flags).filter(([name]) => !names.includes(name))
  return Object.fromEntries(others) as Omit<Flags, SettingName>
}
