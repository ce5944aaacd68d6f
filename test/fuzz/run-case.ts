import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { BlvitError } from '../../src/base/blvit-error.js'
import { randomOf } from './random.js'
import { targets } from './targets.js'

/** A case is known by the seed and its number: cases take the targets in turn. */
export interface CaseId {
  readonly seed: number
  readonly number: number
}

export interface CaseResult {
  readonly target: string
  /** `accepted`, or the code of the error that refused the input */
  readonly outcome: string
  /** what blvit did that it never may; undefined: nothing */
  readonly fault?: string
}

// Deep enough that a name with some `..` lands where it is seen.
const depth = 'a/b/c/d/e/f'

/** Runs one case in a folder of its own. */
export async function runCase({ seed, number }: CaseId): Promise<CaseResult> {
  const target = targets[number % targets.length] as (typeof targets)[number]
  const { files, run, mayWrite } = target.make(randomOf({ seed, number }))
  const root = await mkdtemp(join(tmpdir(), 'blvit-fuzz-'))
  const folder = join(root, depth)
  try {
    await mkdir(folder, { recursive: true })
    for (const [name, bytes] of files) await writeFile(join(folder, name), bytes)
    const before = await listing(root)
    const { outcome, fault } = await outcomeOf(() => run(folder))
    const allowed = mayWrite === undefined ? undefined : join(depth, mayWrite)
    const strayed = strays(before, await listing(root), allowed)
    const faults = [fault, strayed, pollution()].filter((found) => found !== undefined)
    return { target: target.name, outcome, ...(faults.length > 0 ? { fault: faults.join('; ') } : {}) }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

async function outcomeOf(run: () => Promise<void>): Promise<{ outcome: string; fault?: string }> {
  try {
    await run()
    return { outcome: 'accepted' }
  } catch (thrown) {
    if (thrown instanceof BlvitError) {
      return thrown.message.length > longestMessage
        ? { outcome: thrown.code, fault: `a message of ${thrown.message.length} characters` }
        : { outcome: thrown.code }
    }
    return {
      outcome: 'fault',
      fault: thrown instanceof Error ? (thrown.stack ?? thrown.message).slice(0, 1_500) : String(thrown),
    }
  }
}

// A stranger's file must not fill a screen or a log.
const longestMessage = 5_000

/** Path → size and time of change, of everything under the root. */
async function listing(root: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const found = new Map<string, string>()
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const stats = await stat(path).catch(() => undefined)
    found.set(relative(root, path), entry.isDirectory() ? 'folder' : `${stats?.size} ${stats?.mtimeMs}`)
  }
  return found
}

function strays(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  allowed: string | undefined,
): string | undefined {
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path) && !(allowed !== undefined && path.startsWith(allowed)),
  )
  return changed.length > 0 ? `files changed: ${changed.join(', ')}` : undefined
}

function pollution(): string | undefined {
  return 'polluted' in {} ? 'Object.prototype was changed' : undefined
}
