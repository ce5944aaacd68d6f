import { spawn } from 'node:child_process'
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = join(root, 'dist/cli/main.js')
const folder = temporaryFolder()
const data = join(folder, 'data')
const cache = join(folder, 'cache')

beforeAll(() => {
  mkdirSync(join(data, '21'), { recursive: true })
  copyFileSync(join(root, 'examples/kite.jpg'), join(data, '21/kite.jpg'))
})

// /dev/full refuses every write as a full disk does
describe.skipIf(!existsSync('/dev/full'))('results that find the disk full', () => {
  const runOnFullDisk = (args: readonly string[]): Promise<{ code: number | null; stderr: string }> => {
    const full = openSync('/dev/full', 'w')
    const env = { ...process.env, XDG_CACHE_HOME: cache }
    const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', full, 'pipe'] })
    let stderr = ''
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    return new Promise((resolve) => {
      child.on('close', (code) => {
        closeSync(full)
        resolve({ code, stderr })
      })
    })
  }

  test('are an error like others: a line, and exit code 1', async () => {
    expect(await runOnFullDisk(['methods'])).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^error: The results can't be written: ENOSPC.*\n$/),
    })
  })

  test('don’t cost an evaluation: its state stays, and the next run only reports', async () => {
    const args = ['eval', 'vit-tiny', '--data', data, '--json', '--resume']
    const states = () => readdirSync(join(cache, 'blvit/evaluations')).length
    const { code, stderr } = await runOnFullDisk(args)
    expect({ code, states: states() }).toEqual({ code: 1, states: 1 })
    expect(stderr).toMatch(/^error: The results can't be written: ENOSPC/m)
    const again = await runCli(args, { env: { XDG_CACHE_HOME: cache } })
    expect(JSON.parse(again.stdout)).toMatchObject({ pictures: 1, timing: { pictures: 0 } })
    expect({ code: again.code, states: states() }).toEqual({ code: 0, states: 0 })
  })
})

test('notes that nobody reads any more stop nothing', async () => {
  const child = spawn(process.execPath, [main, 'eval', 'vit-tiny', '--data', data, '--json'])
  let stdout = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  // the first note says what runs; there are more
  child.stderr.once('data', () => child.stderr.destroy())
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ pictures: 1 })
})

test('what a terminal would obey in names is written out, in JSON too', async () => {
  const name = '\u001b[31mred\r\u009b2J\u202e.jpg'
  const shown = '\\u001b[31mred\\u000d\\u009b2J\\u202e.jpg'
  const missing = await runCli(['classify', name])
  expect(missing.stderr).toBe(`error: No file matches ${shown}.\n`)
  const option = await runCli(['classify', `--${name}`])
  expect(option.stderr).toContain(`unknown option '--${shown}'`)

  copyFileSync(join(root, 'examples/fly.jpg'), join(folder, name))
  const { stdout } = await runCli(['classify', join(folder, name), '--json', '--top', '1'])
  expect(stdout).toContain(shown.replace('\\u000d', '\\r'))
  expect(JSON.parse(stdout).picture).toBe(join(folder, name))
})
