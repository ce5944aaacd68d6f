import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A folder that goes away after the tests of the file or `describe` block that asked for it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'blvit-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
