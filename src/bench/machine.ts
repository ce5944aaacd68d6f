import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { relative } from 'node:path'
import { z } from 'zod'
import { parseJson, parseWith } from '../base/parse.js'
import { packageFile, packageRoot } from '../files/package-file.js'

/** Where and with what something was measured. */
export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  readonly blvit: string
  /** Of the checkout that runs, with `+` if it has changes; absent in an installed package. */
  readonly commit?: string
  /** Processes that wanted to run in the last minute, before the measurement. */
  readonly loadBefore: number
}

const packageSchema = z.looseObject({ version: z.string() })

function git(...words: string[]): string {
  return execFileSync('git', ['-C', packageRoot(), ...words], { encoding: 'utf8', stdio: 'pipe' }).trim()
}

function commit(): string | undefined {
  try {
    // an installed package may lie inside somebody else's checkout
    if (relative(git('rev-parse', '--show-toplevel'), packageRoot()) !== '') return undefined
    const changes = git('status', '--porcelain', '--untracked-files=no')
    return `${git('rev-parse', '--short', 'HEAD')}${changes === '' ? '' : '+'}`
  } catch {
    return undefined
  }
}

export function describeMachine(): Machine {
  const file = packageFile('package.json', 'The description of the package')
  const { version } = parseWith(packageSchema, parseJson(readFileSync(file, 'utf8'), file), file)
  const revision = commit()
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
    blvit: version,
    ...(revision === undefined ? {} : { commit: revision }),
    loadBefore: loadavg()[0] ?? Number.NaN,
  }
}
