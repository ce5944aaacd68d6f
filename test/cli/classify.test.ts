import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { runCli, stackTrace } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const examples = fileURLToPath(new URL('../../examples', import.meta.url))
const hummingbird = join(examples, 'hummingbird.jpg')

interface Line {
  picture: string
  top?: { index: number; label: string; probability: number }[]
  elapsedMs?: number
  error?: { code: string; message: string }
}

function lines(stdout: string): Line[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

describe('blvit classify', () => {
  const folder = temporaryFolder()

  test('prints labels, probabilities and time, and on stderr what runs it and why', async () => {
    const { code, stdout, stderr } = await runCli(['classify', hummingbird, '--top', '2', '-m', 'vit-tiny'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /hummingbird\.jpg {2}\(\d+\.\d ms\)\n +8\d\.\d % {2}hummingbird\n +1\d\.\d % {2}jacamar\n$/,
    )
    expect(stderr).toMatch(/vit-tiny on ONNX Runtime [\d.]+ native: .*fastest/)
  })

  test('in two stages it says which of them answered', async () => {
    const sure = await runInProcess([
      'classify',
      hummingbird,
      '-m',
      'vit-tiny',
      '--cascade',
      '144:0.01',
      '--top',
      '1',
    ])
    expect(sure.stdout).toMatch(/hummingbird\.jpg {2}\(\d+\.\d ms, by the first stage\)\n/)
    const unsure = await runInProcess([
      'classify',
      hummingbird,
      '-m',
      'vit-tiny',
      '--cascade',
      '144:.999',
      '--json',
    ])
    expect(lines(unsure.stdout)[0]).toMatchObject({
      stage: 2,
      top: [{ label: 'hummingbird' }, {}, {}, {}, {}],
    })
  })

  test('two ways to say how many patches take the big blocks are one too many', async () => {
    const { code, stderr } = await runInProcess(['classify', hummingbird, '--keep-mass', '0.7', '-r', '0.5'])
    expect(code).toBe(2)
    expect(stderr).toContain(
      '--keep-mass and -r, --keep-ratio say the same thing in two ways. Give one of them.',
    )
  })

  test('with no model: the plain one that ships, and the big.LITTLE one where a share of patches is asked for', async () => {
    const plain = await runInProcess(['classify', hummingbird, '--top', '1'])
    expect(plain.stdout).toMatch(/ % {2}hummingbird\n$/)
    expect(plain.stderr).toMatch(/^vit-tiny on ONNX Runtime/)
    const half = await runInProcess(['classify', hummingbird, '--top', '1', '--keep-ratio', '0.5'])
    expect(half.stdout).toMatch(/ % {2}hummingbird\n$/)
    expect(half.stderr).toMatch(/^blvit-tiny at keep ratio 0\.5 on ONNX Runtime/)
    const own = await runInProcess(['classify', hummingbird, '--top', '1', '-m', 'blvit-tiny'])
    expect(own.stderr).toMatch(/^blvit-tiny at keep ratio 0\.\d+ on ONNX Runtime/)
    const mass = await runInProcess(['classify', hummingbird, '--top', '1', '--keep-mass', '0.7'])
    expect(mass.stderr).toMatch(/^blvit-tiny at keep mass 0\.7 on ONNX Runtime/)
  })

  test('--dtype int8 says so, and knows the bird', async () => {
    const args = ['classify', hummingbird, '--top', '1', '--dtype', 'int8', '-m', 'vit-tiny']
    const { code, stdout, stderr } = await runInProcess(args)
    expect(code).toBe(0)
    expect(stdout).toMatch(/8\d\.\d % {2}hummingbird/)
    expect(stderr).toMatch(/native, linear maps in int8: /)
  })

  test.each(['auto', 'cpu', 'wasm'])(
    '--dtype fp16 is refused on processors, with the way out: --device %s',
    async (device) => {
      const args = ['classify', hummingbird, '--dtype', 'fp16', '--device', device]
      const { code, stdout, stderr } = await runInProcess(args)
      expect(code).toBe(1)
      expect(stdout).toBe('')
      expect(stderr).toMatch(
        /^error: ONNX Runtime has no arithmetic in float16 for processors.* Use --device webgpu/,
      )
    },
  )

  test('a folder, a glob, a URL and standard input; --json is one object a line', async () => {
    const server = createServer((_, response) => response.end(readFileSync(hummingbird)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bird.jpg`
    try {
      const args = [
        'classify',
        examples,
        `${examples}/k*.jpg`,
        url,
        '-',
        '--json',
        '--top',
        '1',
        '--batch',
        '4',
      ]
      const { code, stdout, stderr } = await runCli(args, { input: readFileSync(join(examples, 'yurt.jpg')) })
      expect(code).toBe(0)
      expect(lines(stdout).map(({ top }) => top?.[0]?.index)).toEqual([
        555, 308, 94, 21, 920, 915, 21, 94, 915,
      ])
      expect(lines(stdout).at(-1)).toEqual({
        picture: 'standard input',
        top: [{ index: 915, label: 'yurt', probability: expect.any(Number) }],
        elapsedMs: expect.any(Number),
      })
      expect(stderr).toMatch(/9\/9 pictures, [\d.]+\/s, 0 s left/)
    } finally {
      server.close()
    }
  })

  test('one bad file among many is reported by name, the rest are done, and the exit code is 1', async () => {
    const mixed = join(folder, 'mixed')
    mkdirSync(mixed)
    copyFileSync(hummingbird, join(mixed, 'a.jpg'))
    writeFileSync(join(mixed, 'b.jpg'), 'these are words')
    writeFileSync(join(mixed, 'c.jpg'), readFileSync(hummingbird).subarray(0, 6000))
    copyFileSync(join(examples, 'kite.jpg'), join(mixed, 'd.jpg'))
    const { code, stdout, stderr } = await runInProcess([
      'classify',
      mixed,
      'nothing-here.jpg',
      '--json',
      '--top',
      '1',
    ])
    expect(code).toBe(1)
    const results = lines(stdout)
    expect(results.map(({ top, error }) => top?.[0]?.label ?? error?.code)).toEqual([
      'hummingbird',
      'BAD_IMAGE',
      'BAD_IMAGE',
      'kite',
    ])
    expect(stderr).toMatch(/error: .*b\.jpg/)
    expect(stderr).toMatch(/error: There is no file or folder nothing-here\.jpg\./)
    expect(stderr).toMatch(/3 of 5 pictures could not be used\./)
  })

  test('runs on WebAssembly when asked, with the same labels', async () => {
    const args = ['classify', hummingbird, '--device', 'wasm', '--json', '--top', '1']
    const { code, stdout, stderr } = await runInProcess(args)
    expect(code).toBe(0)
    expect(lines(stdout)[0]?.top?.[0]?.index).toBe(94)
    expect(stderr).toMatch(/WebAssembly: you asked for it/)
  })

  test('--parallel is told, and refused where runs can only follow each other', async () => {
    const { stdout, stderr } = await runInProcess([
      'classify',
      hummingbird,
      hummingbird,
      '--top',
      '1',
      '--parallel',
      '2',
    ])
    expect(stdout.match(/^ +\d+\.\d % /gm)).toHaveLength(2)
    expect(stderr).toMatch(/native, 2 engines of 1 thread beside each other: the native library/)
    const few64 = await runInProcess(['classify', hummingbird, hummingbird, '--parallel', '64'])
    expect(few64.stderr).toMatch(
      /, 2 engines of 1 thread beside each other \(64 were asked for: no more than pictures are opened\): /,
    )
    const refused = await runInProcess(['classify', hummingbird, '--parallel', '2', '--device', 'wasm'])
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(
      /WebAssembly runs one thing at a time: parallel 2 is for the native library/,
    )
    const few = await runInProcess(['classify', hummingbird, '--parallel', '4', '--threads', '2'])
    expect(few.stderr).toMatch(/parallel 4 needs at least as many threads, and threads is 2/)
    const none = await runInProcess(['classify', hummingbird, '--parallel', 'some'])
    expect(none).toMatchObject({ code: 2 })
  })

  test('Ctrl-C in the middle of a folder ends it at once and cleanly', async () => {
    const many = join(folder, 'many')
    mkdirSync(many)
    for (let i = 0; i < 400; i++) copyFileSync(hummingbird, join(many, `${i}.jpg`))
    let interrupted = false
    const { code, stdout, stderr } = await runCli(['classify', many, '--json'], {
      onStdout: (text, interrupt) => {
        if (interrupted || text.split('\n').length < 4) return
        interrupted = true
        interrupt()
      },
    })
    expect(code).toBe(130)
    expect(stderr).toMatch(/Stopped\.\n$/)
    expect(stderr).not.toMatch(stackTrace)
    const done = lines(stdout)
    expect(done.length).toBeGreaterThanOrEqual(3)
    expect(done.length).toBeLessThan(300)
    for (const { top } of done) expect(top?.[0]?.index).toBe(94)
  })

  test.each([
    [
      'a missing file',
      ['classify', join(examples, 'humingbird.jpg')],
      1,
      /no file or folder .*Did you mean "hummingbird\.jpg"\?/,
    ],
    [
      'a folder without pictures',
      ['classify', fileURLToPath(new URL('.', import.meta.url))],
      1,
      /holds no pictures/,
    ],
    ['a glob that matches nothing', ['classify', '*.nothing'], 1, /No file matches/],
    ['an unknown command', ['clasify', hummingbird], 2, /Did you mean classify\?/],
    [
      'an unknown option',
      ['classify', hummingbird, '--tpo', '3'],
      2,
      /unknown option '--tpo'\n\(Did you mean --top\?\)/,
    ],
    ['an unknown model', ['classify', hummingbird, '-m', 'vit-tinny'], 1, /Did you mean "vit-tiny"\?/],
    [
      'a configuration instead of a model',
      ['classify', hummingbird, '-m', 'b+t'],
      1,
      /configuration without weights/,
    ],
    [
      'an unknown device',
      ['classify', hummingbird, '-d', 'gpu'],
      2,
      /Allowed choices are auto, cpu, wasm, webgpu/,
    ],
    ['keep ratio 0', ['classify', hummingbird, '--keep-ratio', '0'], 2, /above 0 and up to 1/],
    ['keep ratio 1.5', ['classify', hummingbird, '--keep-ratio', '1.5'], 2, /above 0 and up to 1/],
    ['keep ratio NaN', ['classify', hummingbird, '--keep-ratio', 'NaN'], 2, /above 0 and up to 1/],
    [
      'a keep ratio for a plain ViT',
      ['classify', hummingbird, '--keep-ratio', '0.5', '-m', 'vit-tiny'],
      2,
      /processes every token/,
    ],
    ['no labels', ['classify', hummingbird, '--top', '0'], 2, /whole number from 1/],
    ['no picture', ['classify'], 2, /missing required argument/],
    [
      'an unknown hub id, offline',
      ['classify', hummingbird, '-m', 'nobody/nothing', '--offline'],
      1,
      /nobody\/nothing/,
    ],
  ])('%s: a clear message and no stack trace', async (_, args, expectedCode, message) => {
    vi.stubEnv('HF_HOME', join(folder, 'hub'))
    const { code, stdout, stderr } = await runInProcess(args)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(stackTrace)
    expect(code).toBe(expectedCode)
    expect(stdout).toBe('')
  })

  test('nothing on standard input is an error as well', async () => {
    const { code, stdout, stderr } = await runCli(['classify', '-'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/standard input/)
    expect(stderr).not.toMatch(stackTrace)
  })
})
