import { type Command, InvalidArgumentError, Option } from 'commander'
import { BlvitError } from '../base/blvit-error.js'
import { type Settings, type SettingValue, settingOptions } from '../settings/index.js'
import type { Setting } from '../settings/setting.js'

function parsed({ parse }: Setting, text: string): SettingValue {
  try {
    return parse(text)
  } catch (thrown) {
    if (thrown instanceof BlvitError) throw new InvalidArgumentError(thrown.message)
    throw thrown
  }
}

/** Several values with commas between them, e.g. `0.25,0.5,1`. */
function parsedList(setting: Setting, text: string): SettingValue[] {
  const parts = text.split(setting.separator ?? /,/).map((part) => part.trim())
  if (parts.some((part) => part === '')) {
    throw new InvalidArgumentError('Between its commas something is missing.')
  }
  return parts.map((part) => parsed(setting, part))
}

/** Adds an option for each setting of `src/settings/`. */
export function withSettings(command: Command): Command {
  for (const { setting } of settingOptions) {
    const { flags, placeholder, about } = setting.option
    command.addOption(
      new Option(`${flags} <${placeholder}>`, about).argParser((text: string) => parsed(setting, text)),
    )
  }
  return command
}

/** Adds an option for each setting that takes several values with commas between them. */
export function withManySettings(command: Command): Command {
  for (const { setting } of settingOptions) {
    const { flags, placeholder, about } = setting.option
    const description = `${about}; several with commas between them`
    command.addOption(
      new Option(`${flags} <${placeholder},…>`, description).argParser((text: string) =>
        parsedList(setting, text),
      ),
    )
  }
  return command
}

/** What {@link withSettings} parsed. */
export type SettingFlags = Settings

/** What {@link withManySettings} parsed. */
export type ManySettingFlags = {
  readonly [Name in keyof Settings]?: readonly Exclude<Settings[Name], undefined>[]
}

/** The settings among the flags of a command. */
export function settingsFrom(flags: SettingFlags): Settings {
  return Object.fromEntries(
    settingOptions.flatMap(({ name }) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
  )
}

/** One setting for each value that was given; undefined where none was. */
export function manySettingsFrom(flags: ManySettingFlags): readonly Settings[] | undefined {
  const all = settingOptions.flatMap(({ name }) =>
    (flags[name] ?? []).map((value): Settings => ({ [name]: value })),
  )
  return all.length === 0 ? undefined : all
}
