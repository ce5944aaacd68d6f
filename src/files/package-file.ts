import { existsSync, readFileSync } from 'node:fs'
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
  const file = packageRoot() + path
  if (existsSync(file)) return file
  throw new LeftOut(what, options)
}

/** Empty where bundled code has no address of its own (CommonJS). */
function packageRoot(): string {
  const here: string | undefined = import.meta.url
  return here === undefined ? '' : fileURLToPath(new URL('../../', here))
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
