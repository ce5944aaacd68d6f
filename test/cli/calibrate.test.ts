import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const examples = fileURLToPath(new URL('../../examples', import.meta.url))
const folder = temporaryFolder()
const path = (name: string) => join(folder, name)
const tiny = ['-m', 'vit-tiny']
const run = (...args: string[]) => runInProcess(args, { cwd: folder })

interface Mask {
  grid: { rows: number; columns: number }
  static: string[] | null
  objects: string[] | null
  calibration: { pictures: number; seed: number; threshold: string; attentionReceived: number[] } | null
}

const read = (name: string): Mask => JSON.parse(readFileSync(path(name), 'utf8'))
const bitsOf = (rows: readonly string[] | null) => Array.from(rows?.join('') ?? '', Number)

describe('blvit calibrate atf', () => {
  beforeAll(async () => {
    const words = ['calibrate', 'atf', '--data', examples, '-o', 'mask.json']
    expect(await runCli(words, { cwd: folder })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^Wrote mask\.json: \d+ of 196 patches stay \(\d+ by the attention of \d+ /,
      ),
    })
  })

  test('writes which patches receive more attention than the mean of the patches', () => {
    const { grid, calibration, ...mask } = read('mask.json')
    expect(grid).toEqual({ rows: 14, columns: 14 })
    expect(calibration).toMatchObject({ seed: 0, threshold: 'patches', prefixTokens: 1 })
    const received = calibration?.attentionReceived ?? []
    expect(received).toHaveLength(197)
    expect(received.reduce((a, b) => a + b)).toBeCloseTo(1, 6)
    const patches = received.slice(1)
    const mean = patches.reduce((a, b) => a + b) / 196
    expect(bitsOf(mask.static)).toEqual(patches.map((value) => Number(value > mean)))
  })

  test('the mask is taken by every command that runs a model', async () => {
    const kept = bitsOf(read('mask.json').static).filter(Boolean).length
    const reduced = ['--reduce', 'atf:mask.json']
    const kite = join(examples, 'kite.jpg')
    const [classified, embedded, analysed, exported, traced, bench] = await Promise.all([
      run('classify', kite, ...tiny, ...reduced, '--json'),
      run('embed', kite, ...tiny, ...reduced, '-o', 'kite.npy'),
      run('analyze', 'vit-tiny', ...reduced),
      run('export', 'vit-tiny', '--standard', ...reduced, '-o', path('filtered.onnx')),
      run('trace', kite, ...tiny, ...reduced, '-o', 'kite.png', '--json', 'kite.json'),
      run('analyze', '--compare', 'vit-tiny,vit-tiny@atf:mask.json'),
    ])
    for (const { code, stderr } of [classified, embedded, analysed, exported, traced, bench])
      expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(JSON.parse(classified.stdout).top).toHaveLength(5)
    expect(analysed.stdout).toMatch(
      new RegExp(`^atf:mask\\.json#[0-9a-f]{8}: ${kept + 1} of 197 tokens are left at the end$`, 'm'),
    )
    const { steps } = JSON.parse(readFileSync(path('kite.json'), 'utf8'))
    expect(steps).toHaveLength(1)
    expect(steps[0]).toMatchObject({ afterLayer: 0, tokens: kept })
    expect(steps[0].kept).toEqual(bitsOf(read('mask.json').static).flatMap((bit, i) => (bit ? [i] : [])))
    expect(bench.stdout).toMatch(/atf:mask\.json/)
  })

  test('a picture that can’t be read is left out and named, and the exit code is 1', async () => {
    const data = path('mixed')
    mkdirSync(data)
    for (const name of ['kite', 'fly'])
      writeFileSync(join(data, `${name}.jpg`), readFileSync(join(examples, `${name}.jpg`)))
    writeFileSync(join(data, 'broken.jpg'), 'no picture')
    const all = await run(
      'calibrate',
      'atf',
      ...tiny,
      '--data',
      data,
      '--images',
      '6',
      '--seed',
      '3',
      '--json',
      '-o',
      'all.json',
    )
    expect(all.code).toBe(1)
    expect(all.stderr).toMatch(/^error: .*broken\.jpg can't be decoded/m)
    const failures = [{ name: 'broken.jpg' }]
    expect(JSON.parse(all.stdout)).toMatchObject({ output: 'all.json', pictures: 2, seed: 3, failures })
  })

  test('an object’s patches come from a white shape on a picture, cropped as pictures are', async () => {
    // 224 × 224 pixels of a picture of 448 × 256 are seen, after it was made 249 pixels high
    const white = Buffer.from(
      '<svg width="448" height="256"><rect x="216" y="120" width="16" height="16" fill="white"/></svg>',
    )
    const black = { create: { width: 448, height: 256, channels: 3 as const, background: 'black' } }
    await sharp(black)
      .composite([{ input: white }])
      .png()
      .toFile(path('object.png'))
    const made = await run('calibrate', 'atf', ...tiny, '--objects', 'object.png', '-o', 'object.json')
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/4 of 196 patches stay \(4 of the object\)/),
    })
    const { objects, calibration, static: ofStatic } = read('object.json')
    expect({ calibration, static: ofStatic }).toEqual({ calibration: null, static: null })
    // the middle of the picture is the corner of the four patches in the middle
    const middle = [6 * 14 + 6, 6 * 14 + 7, 7 * 14 + 6, 7 * 14 + 7]
    expect(bitsOf(objects).flatMap((bit, i) => (bit ? [i] : []))).toEqual(middle)
    const args = ['calibrate', 'atf', ...tiny, '--objects', 'object.png', '--dilate', '9', '-o', 'grown.json']
    expect((await run(...args)).stdout).toMatch(/16 of 196 patches stay/)
  })

  test('what makes no sense is refused before anything is written', async () => {
    const wrong: [string[], number, RegExp][] = [
      [
        ['evit', ...tiny, '--data', examples, '-o', 'a.json'],
        2,
        /nothing to calibrate of "evit"\. Known: atf/,
      ],
      [['atf', ...tiny, '-o', 'a.json'], 2, /Name sample pictures with --data, or .* with --objects/],
      [['atf', ...tiny, '--data', examples, '-o', 'a.txt'], 2, /must end in \.json/],
      [
        ['atf', ...tiny, '--data', examples, '--dilate', '3', '-o', 'a.json'],
        2,
        /--dilate grows what --objects/,
      ],
      [['atf', '-m', 'blvit-tiny', '--data', examples, '-o', 'a.json'], 2, /atf is for plain ViTs and DeiTs/],
      [
        ['atf', ...tiny, '--objects', 'grid.json', '--images', '4', '-o', 'a.json'],
        2,
        /--images is about the pictures of --data/,
      ],
      [['atf', ...tiny, '--data', 'nowhere', '-o', 'a.json'], 1, /nowhere/],
    ]
    const runs = await Promise.all(wrong.map(([args]) => run('calibrate', ...args)))
    runs.forEach(({ stderr, ...found }, i) => {
      const [, code, complaint] = wrong[i] ?? []
      expect(stderr).toMatch(complaint ?? '')
      expect(found).toEqual({ code, stdout: '' })
    })
    expect(() => read('a.json')).toThrow(/ENOENT/)
  })

  test('a grid of bits is D(i) as it stands; one of another grid, of nothing, or a stranger’s file is refused', async () => {
    const rows = (bit: string) => Array.from({ length: 14 }, () => bit.repeat(14))
    writeFileSync(path('grid.json'), JSON.stringify(rows('0').with(2, '01000000000000')))
    writeFileSync(path('small.json'), JSON.stringify(['01', '10']))
    writeFileSync(path('empty.json'), JSON.stringify(rows('0')))
    const objects = (name: string) => run('calibrate', 'atf', ...tiny, '--objects', name, '-o', `of-${name}`)
    const [grid, small, empty, strange, missing, other] = await Promise.all([
      objects('grid.json'),
      objects('small.json'),
      objects('empty.json'),
      run('analyze', 'vit-tiny', '--reduce', 'atf:grid.json'),
      run('analyze', 'vit-tiny', '--reduce', 'atf:nowhere.json'),
      run('analyze', 'deit-tiny-distilled', '--set', 'image_size=384', '--reduce', 'atf:mask.json'),
    ])
    expect(grid).toMatchObject({ code: 0 })
    expect(bitsOf(read('of-grid.json').objects).indexOf(1)).toBe(29)
    expect(small).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/2 rows of 2 bits, but .* 14 rows of 14.* or a picture that is white/),
    })
    expect(empty).toMatchObject({ code: 2, stderr: expect.stringMatching(/keeps no patch at all/) })
    expect(strange).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/grid\.json is no token mask\. Make one: blvit calibrate atf/),
    })
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringMatching(/nowhere\.json.* can't be read/) })
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/a mask of 14 × 14 patches, but this model's pictures have 24 × 24/),
    })
  })
})
