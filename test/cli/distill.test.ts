import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const photos = fileURLToPath(new URL('../fixtures/images/', import.meta.url))
const folder = temporaryFolder()
const teacher = join(folder, 'teacher')
const distil = ['distill', '--teacher', teacher, '--to', 'micro+16', '--data', photos, '--batch', '4']
const imitation = ['--recipe', 'block-imitation']

beforeAll(async () => {
  const { code, stderr } = await runInProcess(['init', 'vit-micro', '-o', teacher])
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: 'note: nothing names the 10 classes: they are numbered.\n',
  })
})

describe('blvit distill', () => {
  test('writes a folder that classifies, and says how it went', async () => {
    const output = join(folder, 'student')
    const { code, stdout, stderr } = await runCli([...distil, '-o', output, '--images', '24', '--seed', '4'])
    expect(stderr).toMatch(
      /^block imitation, step 1 of 2: loss [\d.]+, gradient norm [\d.]+, imitation [\d.]+, ranking/m,
    )
    expect(stderr).toMatch(
      /^end to end, step 5 of 5: .*ranking [\d.]+, lr [\d.e-]+, [\d.]+ pictures\/s \([\d.]+ % of the GEMM rate\), 0 s left/m,
    )
    expect(stderr).toMatch(/^The engine waited [\d.]+ % of the time for pictures\.$/m)
    expect(stdout).toContain(`Wrote ${output}: micro+16, begun as ${teacher}, by distill.`)
    expect(code).toBe(0)
    const classified = await runInProcess(['classify', join(photos, 'no-such.jpg'), '--model', output])
    expect(classified.stderr).toContain('no-such.jpg')
    expect(existsSync(join(`${output}.training`, 'log.jsonl'))).toBe(true)
  })

  test('Ctrl-C keeps a checkpoint that --resume goes on from', async () => {
    const output = join(folder, 'stopped')
    const args = [...distil, ...imitation, '-o', output, '--images', '120']
    let isInterrupted = false
    const stopped = await runCli(args, {
      onStderr: (stderr, interrupt) => {
        // once: a second Ctrl-C doesn't wait for the checkpoint
        if (!isInterrupted && stderr.includes('step 6 of')) interrupt()
        isInterrupted ||= stderr.includes('step 6 of')
      },
    })
    expect(stopped.code).toBe(130)
    expect(stopped.stderr).toContain('Go on with the same command and --resume.')
    expect(existsSync(output)).toBe(false)
    const again = await runInProcess(args)
    expect(again.stderr).toContain('Go on (resume: true, --resume), or begin anew')
    const resumed = await runInProcess([...args, '--resume'])
    expect(resumed.stderr).not.toMatch(/step 1 of/)
    expect(resumed.code).toBe(0)
  })

  test('--dry-run forecasts time and memory and writes nothing', async () => {
    const output = join(folder, 'dry')
    const words = [...distil, '-o', output, '--images', '4000', '--dry-run']
    const { code, stdout } = await runInProcess(words)
    expect(stdout).toMatch(
      /^end to end: \d+ steps at [\d.]+ pictures\/s would take [\d.]+ minutes\.\nIn all [\d.]+ minutes and [\d.]+ [MG]B of memory\. Nothing was written\.$/m,
    )
    expect(code).toBe(0)
    expect(existsSync(output) || existsSync(`${output}.training`)).toBe(false)
  })

  test.each([
    [['--lr-scale', '0'], 'It must be a number above 0.'],
    [['--recipe', 'distil'], 'There is no recipe "distil". Did you mean "distill"?'],
    [['--to', 't+84'], 'There is no configuration "t+84". Did you mean "t+48"?'],
    [['--to', 'b+t'], "b+t doesn't fit these weights"],
    [['--data', join(folder, 'nothing')], 'There is no file or folder'],
  ])('%j is refused before anything is trained', async (args, message) => {
    const { code, stderr } = await runInProcess([...distil, '-o', join(folder, 'refused'), ...args])
    expect(stderr).toContain(message)
    expect(code).not.toBe(0)
    expect(existsSync(join(folder, 'refused'))).toBe(false)
  })
})
