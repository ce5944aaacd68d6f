import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { writeColours } from '../support/coloured-pictures.js'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { writeTinyVit } from '../support/tiny-training.js'

const folder = temporaryFolder()
const env = { XDG_CACHE_HOME: join(folder, 'cache') }
const run = (...args: string[]) => runInProcess(args, { cwd: folder })

beforeEach(() => {
  vi.stubEnv('XDG_CACHE_HOME', env.XDG_CACHE_HOME)
})
beforeAll(async () => {
  await writeTinyVit(join(folder, 'vit'))
  await writeColours(join(folder, 'photos'), { count: 6 })
})

describe('blvit finetune', () => {
  test('writes a model with its report, which classify answers with, none of them included', async () => {
    const words = ['finetune', '--data', 'photos', '-m', 'vit', '-o', 'mine']
    const made = await runCli(words, { cwd: folder, env })
    expect(made.code).toBe(0)
    expect(made.stdout).toContain('Wrote mine: 3 classes from 18 pictures, on vit.')
    expect(made.stdout).toMatch(/5-fold cross-validation\): right on [\d.]+ % of 18 pictures/)
    const svg = await readFile(join(folder, 'mine', 'confusion.svg'))
    expect((await sharp(svg).metadata()).width).toBeGreaterThan(300)
    const card = await readFile(join(folder, 'mine', 'README.md'), 'utf8')
    expect(card).toContain('A classifier of 3 classes')

    const picture = join('photos', 'red', '0.png')
    const sure = await run('classify', picture, '-m', 'mine', '--threshold', '0.5')
    expect(sure.stdout).toMatch(/% {2}red/)
    const none = await run('classify', picture, '-m', 'mine', '--threshold', '1')
    expect(none.stdout).toContain('none of them')
    const json = await run('classify', picture, '-m', 'mine', '--threshold', '1', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ top: [], none: true })
    const refused = await run('classify', picture, '-m', 'mine', '--threshold', '2')
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('It must be a probability from 0 to 1.')

    const again = await run(...words)
    expect(again).toMatchObject({ code: 1, stdout: '' })
    expect(again.stderr).toContain('is there already')
  })

  test('writes the report elsewhere, prints it as JSON, and refuses what a head has no use for', async () => {
    const options = ['--data', 'photos', '-m', 'vit', '-o', 'other']
    const unused = await run('finetune', ...options, '--epochs', '3')
    expect(unused).toMatchObject({ code: 2 })
    expect(unused.stderr).toContain('epochs is for layers "all"')
    const made = await run('finetune', ...options, '--report', 'about', '--json')
    expect(made.code).toBe(0)
    const report = JSON.parse(made.stdout)
    expect(report).toMatchObject({ pictures: 18, layers: 'head', heldOut: { folds: 5 } })
    expect(JSON.parse(await readFile(join(folder, 'about', 'report.json'), 'utf8'))).toEqual(report)
    expect(existsSync(join(folder, 'other', 'report.json'))).toBe(false)
  })

  test('Ctrl-C writes nothing', async () => {
    const stopped = await runCli(
      ['finetune', '--data', 'photos', '-m', 'vit', '-o', 'stopped', '--no-cache', '-b', '1'],
      {
        ...{ cwd: folder, env },
        // once: the second doesn't wait for the first
        onStderr: (() => {
          let told = false
          return (_: string, interrupt: () => void) => {
            if (!told) interrupt()
            told = true
          }
        })(),
      },
    )
    expect(stopped.code).toBe(130)
    expect(existsSync(join(folder, 'stopped'))).toBe(false)
  })
})
