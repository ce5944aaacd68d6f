import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { BlvitError, fileReason } from '../base/blvit-error.js'
import { type Settings, settingNames, settingsOf } from '../settings/settings.js'
import { readTypedSetting } from '../tasks/node/read-settings.js'

/** A model in some settings, as somebody asks for it. */
export interface AskedRow {
  /** A shipped name, a folder or a hub id. */
  readonly reference: string
  readonly settings: Settings
}

function together(text: string, all: readonly Settings[]): Settings {
  const twice = settingNames.find((name) => all.filter((one) => one[name] !== undefined).length > 1)
  if (twice === undefined) return settingsOf(Object.assign({}, ...all))
  throw new BlvitError('BAD_OPTION', `"${text}" says ${twice} twice. Make two rows of it.`, { text })
}

/**
 * A row as people type it: `vit-tiny`, `vit-tiny@evit:0.7`, `vit-tiny@192px@evit:0.7`, `blvit-tiny@0.375`.
 * @throws BlvitError `BAD_OPTION` for a setting that is none, `NOT_FOUND` or `BAD_DATA` for a file that it names
 */
export async function parseRow(text: string): Promise<AskedRow> {
  const [reference = '', ...settings] = existsSync(text) ? [text] : text.split('@')
  if (reference.trim() === '')
    throw new BlvitError('BAD_OPTION', `"${text}" names no model. Write a row as vit-tiny@evit:0.7.`)
  return {
    reference: reference.trim(),
    settings: together(text, await Promise.all(settings.map(readTypedSetting))),
  }
}

/**
 * Rows from a file, one a line; what follows a # is a comment.
 * @throws BlvitError `NOT_FOUND`, `BAD_OPTION` naming the line
 */
export async function readRows(path: string): Promise<readonly AskedRow[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new BlvitError('NOT_FOUND', `${path} can't be read: ${fileReason(cause)}.`, { path }, { cause })
  }
  const rows: AskedRow[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const row = line.replace(/(^|\s)#.*$/, '').trim()
    if (row === '') continue
    try {
      rows.push(await parseRow(row))
    } catch (thrown) {
      if (!(thrown instanceof BlvitError)) throw thrown
      const message = `${path}, line ${index + 1}: ${thrown.message}`
      throw new BlvitError(thrown.code, message, { path, line: index + 1 }, { cause: thrown })
    }
  }
  if (rows.length > 0) return rows
  throw new BlvitError('BAD_OPTION', `${path} has no rows. Write one a line, e.g. vit-tiny@evit:0.7.`, {
    path,
  })
}
