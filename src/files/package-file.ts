import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LeftOut } from '../base/left-out.js'

/**
 * Where a file or folder of the package lies.
 * @param path from the package's root
 * @param what it is, for the message
 * @param options `instead`: what helps besides, a sentence
 * @throws BlvitError {@link LeftOut} where an application was bundled without it
 */
export function packageFile(path: string, what: string, options: { instead?: string } = {}): string {
  const file = join(packageRoot(), path)
  if (existsSync(file)) return file
  throw new LeftOut(what, options)
}

/**
 * The next folder above this code that has a package.json: sources, modules and bundled files lie at different depths.
 * Empty where bundled code has no address of its own (CommonJS).
 */
export function packageRoot(): string {
  const here: string | undefined = import.meta.url
  if (here === undefined) return ''
  let folder = dirname(fileURLToPath(here))
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder)
  return folder
}

/** The version of blvit; `unknown` where a bundler took the code alone. */
export function packageVersion(): string {
  try {
    const text = readFileSync(packageFile('package.json', 'The description of the package'), 'utf8')
    return (JSON.parse(text) as { version: string }).version
  } catch (thrown) {
    if (thrown instanceof LeftOut) return 'unknown'
    throw thrown
  }
}
