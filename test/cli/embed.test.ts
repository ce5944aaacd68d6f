import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { load } from '../../src/tasks/node/load.js'
import { expectClose } from '../support/expect-close.js'
import { pythonWith } from '../support/python.js'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const examples = fileURLToPath(new URL('../../examples', import.meta.url))
const pictures = ['fly', 'kite', 'yurt'].map((name) => join(examples, `${name}.jpg`))

describe('blvit embed', () => {
  const folder = temporaryFolder()
  const path = (name: string) => join(folder, name)
  const wordsFor = (output: string, ...more: string[]) => [
    ...['embed', ...pictures, '-m', 'vit-tiny'],
    ...['-o', path(output), ...more],
  ]
  const run = (output: string, ...more: string[]) => runInProcess(wordsFor(output, ...more))

  test('writes the class tokens as .npy, .jsonl and .csv alike, as the library gives them', async () => {
    const { code, stdout } = await runCli(wordsFor('a.npy'))
    expect({ code, stdout: stdout.replaceAll(folder, '') }).toEqual({
      code: 0,
      stdout: 'Wrote /a.npy and /a.files.txt: 3 × 192.\n',
    })
    expect(readFileSync(path('a.files.txt'), 'utf8')).toBe(pictures.map((name) => `${name}\n`).join(''))
    const npy = readFileSync(path('a.npy'))
    expect(npy.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00')
    const dataStart = 10 + npy.readUInt16LE(8)
    expect(dataStart % 64).toBe(0)
    const rows = [0, 1, 2].map((row) =>
      Array.from({ length: 192 }, (_, i) => npy.readFloatLE(dataStart + 4 * (192 * row + i))),
    )
    await run('a.jsonl')
    await run('a.csv')
    const jsonl = readFileSync(path('a.jsonl'), 'utf8').trim().split('\n')
    expect(jsonl.map((line) => JSON.parse(line))).toEqual(
      pictures.map((picture, row) => ({ picture, embedding: rows[row] })),
    )
    const csv = readFileSync(path('a.csv'), 'utf8').trim().split('\n')
    expect(csv[1]?.split(',').slice(1).map(Number)).toEqual(rows[0])
    await using model = await load('vit-tiny')
    expectClose(Array.from(await model.embed(pictures[2] ?? '')), rows[2] ?? [], { rtol: 1e-4, atol: 1e-4 })
  })

  test('NumPy reads the array', (context) => {
    const text = `import numpy, sys; a = numpy.load(sys.argv[1]); print(a.shape, a.dtype, a.flags['C_CONTIGUOUS'])`
    const python = pythonWith('numpy')
    if (python === undefined) return context.skip('no Python with NumPy here')
    const { stdout } = spawnSync(python, ['-c', text, path('a.npy')], { encoding: 'utf8' })
    expect(stdout).toBe('(3, 192) float32 True\n')
  })

  test('pooling both and --normalize: class token and mean of the patches, 1 long', async () => {
    const { stdout } = await run('b.jsonl', '--pooling', 'both', '--normalize', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ pictures: 3, width: 384, failures: 0 })
    const [first = ''] = readFileSync(path('b.jsonl'), 'utf8').split('\n')
    const { embedding } = JSON.parse(first) as { embedding: number[] }
    expect(Math.hypot(...embedding)).toBeCloseTo(1, 6)
  })

  test('a picture that can’t be read is named and left out; an interrupted run goes on', async () => {
    writeFileSync(path('broken.jpg'), 'no picture')
    const args = ['embed', path('broken.jpg'), ...pictures, '-m', 'vit-tiny', '-b', '1']
    const state = path('embed.state')
    const whole = await runInProcess([...args, '-o', path('whole.npy')])
    expect(whole.code).toBe(1)
    expect(whole.stderr).toMatch(/error: .*broken\.jpg.*\n[\s\S]*1 of 4 pictures could not be used/)
    const first = await runInProcess([...args, '-o', path('c.npy'), '--resume', state])
    expect(first.code).toBe(1)
    const lines = readFileSync(state, 'utf8').split('\n')
    // as a kill in the middle of a write leaves it
    writeFileSync(state, `${lines.slice(0, 3).join('\n')}\n${lines[3]?.slice(0, 40)}`)
    const second = await runInProcess([...args, '-o', path('d.npy'), '--resume', state])
    expect(second.stderr).toMatch(/going on after 2 pictures/)
    expect(readFileSync(path('d.npy'))).toEqual(readFileSync(path('whole.npy')))
    expect(readFileSync(path('d.files.txt'))).toEqual(readFileSync(path('whole.files.txt')))
    const other = await runInProcess([...args, '-o', path('e.npy'), '--resume', state, '--pooling', 'mean'])
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/pooling: default there, mean now/),
    })
  })

  test('refuses endings that it doesn’t write, before anything is loaded', async () => {
    const { code, stderr } = await run('a.txt')
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/must end in \.npy, \.jsonl, \.csv/),
    })
    expect(readdirSync(folder)).not.toContain('a.txt')
  })
})
