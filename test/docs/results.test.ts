import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('the tables of docs/results.md are those that docs/results and the logs make', async () => {
  const script = fileURLToPath(new URL('../../scripts/results-tables.mjs', import.meta.url))
  // ends with 1, and says what to run, where they differ
  const { stderr } = await promisify(execFile)(process.execPath, [script, '--check'])
  expect(stderr).toBe('')
})
