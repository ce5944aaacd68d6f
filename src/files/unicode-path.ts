import { readdir, stat } from 'node:fs/promises'
import { join, parse, sep } from 'node:path'

/**
 * The path of a file or folder whose name is the same text in another Unicode form: macOS writes `é` as two characters
 * where a list or a keyboard has one.
 * @returns undefined where nothing of that name lies there
 */
export async function inOtherUnicodeForm(path: string): Promise<string | undefined> {
  // names of plain ASCII have one form only
  if (!/[^\0-\x7F]/.test(path)) return undefined
  const { root } = parse(path)
  let found = root
  for (const name of path.slice(root.length).split(sep === '\\' ? /[/\\]/ : '/')) {
    const next = join(found, name)
    if (await stat(next).catch(() => undefined)) {
      found = next
      continue
    }
    const siblings = await readdir(found === '' ? '.' : found).catch(() => [])
    const same = siblings.find((sibling) => sibling.normalize('NFC') === name.normalize('NFC'))
    if (same === undefined) return undefined
    found = join(found, same)
  }
  return found
}
