import { readFile, stat } from 'node:fs/promises'
import { BlvitError, fileReason } from '../../base/blvit-error.js'
import { parseSetting, parseSettings, withFilesOf, withFilesOfText } from '../../settings/resolve.js'
import type { SettingName, Settings } from '../../settings/settings.js'

/** A mask of a million patches is a tenth of that. */
const largestFileBytes = 64_000_000

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size <= largestFileBytes) return await readFile(path, 'utf8')
    throw new BlvitError(
      'BAD_DATA',
      `${path} has ${size} bytes; no setting needs more than ${largestFileBytes}.`,
    )
  } catch (cause) {
    if (cause instanceof BlvitError) throw cause
    throw new BlvitError(
      'NOT_FOUND',
      `${path}, which a setting names, can't be read: ${fileReason(cause)}.`,
      { path },
      { cause },
    )
  }
}

/**
 * Settings with what files hold that they name: `atf:mask.json` becomes a text that says the whole mask, for functions
 * that read no files. What names none stays as it is.
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`, `BAD_OPTION`
 * @example
 * analyze(presets['vit-tiny'], await readSettings({ reduce: 'atf:mask.json' }))
 */
export function readSettings(settings: Settings): Promise<Settings> {
  return withFilesOf(settings, readText)
}

/** Settings from what was typed under their names. @throws BlvitError as {@link readSettings}, and for texts that are no value */
export async function readTypedSettings(
  texts: Readonly<Partial<Record<SettingName, string>>>,
): Promise<Settings> {
  return parseSettings(await withFilesOf(texts, readText))
}

/** Settings of one that was typed without its name. @throws BlvitError as {@link readTypedSettings} */
export async function readTypedSetting(text: string): Promise<Settings> {
  return parseSetting(await withFilesOfText(text, readText))
}
