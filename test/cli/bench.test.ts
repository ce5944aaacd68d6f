import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'

describe('blvit bench', () => {
  test('measures a model beside its plain ViT, and writes table, CSV and plot', async () => {
    const folder = temporaryFolder()
    const [csv, svg] = [join(folder, 'speed.csv'), join(folder, 'speed.svg')]
    const { code, stdout, stderr } = await runCli([
      ...['bench', 'micro+16', '--rounds', '1', '--threads', '1', '--batch', '1,4', '--keep-ratio', '0.25,1'],
      ...['--csv', csv, '--plot', svg],
    ])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stdout).toMatch(/^model +batch +setting +ms: p10/m)
    expect(stdout.match(/^vit-micro /gm)).toHaveLength(2)
    expect(stdout.match(/^micro\+16 .* vit-micro$/gm)).toHaveLength(4)
    expect(stdout).toMatch(/matrix products alone: \d+ GFLOP\/s/)
    expect(readFileSync(csv, 'utf8').trimEnd().split('\n')).toHaveLength(7)
    expect(readFileSync(svg, 'utf8')).toContain('micro+16, keep ratio, batch 4')
  })

  test('--reduce is measured beside the model with all its tokens, a row a setting', async () => {
    const { code, stdout } = await runCli([
      ...['bench', 'vit-micro', '--rounds', '1', '--threads', '1', '--batch', '1,4'],
      ...['--reduce', 'evit:0.5,fuse=false,tome:8', '--json'],
    ])
    expect(code).toBe(0)
    const { results } = JSON.parse(stdout)
    const rows = results.map(({ name, batch, setting }: Record<string, unknown>) => [name, batch, setting])
    expect(rows).toEqual(
      [1, 4].flatMap((batch) =>
        ['plain', 'evit:0.5,fuse=false', 'tome:8'].map((setting) => ['vit-micro', batch, setting]),
      ),
    )
    for (const { setting, against } of results) {
      if (setting === 'plain') expect(against).toBeUndefined()
      else {
        expect(against).toMatchObject({ baseline: 'vit-micro' })
        expect(against.multiplyAddSpeedup).toBeGreaterThan(1.1) // of the reduced graph
        expect(against.efficiency).toBeCloseTo(against.measuredSpeedup / against.multiplyAddSpeedup, 10)
      }
    }
  })

  test('many: engines beside each other, in the same run as one with all threads; --json holds everything', async () => {
    const { code, stdout } = await runCli([
      ...['bench', 'micro+16', '--rounds', '1', '--threads', '2', '--batch', '1,many'],
      ...['--dtype', 'fp32,int8', '--json'],
    ])
    expect(code).toBe(0)
    const report = JSON.parse(stdout)
    const { results } = report
    const precisions = ['fp32', 'int8']
    expect(report).toMatchObject({
      version: 2,
      gemm: precisions.map(() => ({ device: 'auto', gflops: expect.any(Number) })),
      machine: { cores: expect.any(Number), node: process.version },
    })
    const ofPlain = results.filter(
      (result: Record<string, unknown>) => result.name === 'vit-micro' && !result.many,
    )
    expect(ofPlain).toMatchObject(
      precisions.map((precision) => ({
        ...{ name: 'vit-micro', batch: 1, precision, latencyMs: { median: expect.any(Number) } },
      })),
    )
    for (const { shareOfGemmRate } of ofPlain) expect(shareOfGemmRate).toBeGreaterThan(0)
    const many = results.filter((result: Record<string, unknown>) => result.many)
    expect(many).toHaveLength(4)
    for (const result of many) {
      const { lanes, threads, batch, pictures } = result.many
      expect([lanes, threads]).toEqual([2, 1])
      // pictures of one run in int8 share their scales
      expect(batch).toBe(result.precision === 'int8' ? 1 : result.name === 'micro+16' ? 4 : batch)
      expect(result.imagesPerSecond).toBeCloseTo((1000 * pictures) / result.latencyMs.median, 6)
      const single = results.find(
        (other: Record<string, unknown>) =>
          other.name === result.name && other.precision === result.precision && !other.many,
      )
      expect(result.besideBatch1).toBeCloseTo(result.imagesPerSecond / single.imagesPerSecond, 6)
      if (result.name === 'micro+16') expect(result.against).toMatchObject({ baseline: 'vit-micro' })
    }
    const wasm = await runInProcess([
      'bench',
      'vit-micro',
      '--batch',
      'many',
      '--device',
      'wasm',
      '--rounds',
      '1',
    ])
    expect(wasm.code).toBe(2)
    expect(wasm.stderr).toMatch(/wasm runs one thing at a time/)
    const found = await runInProcess(['bench', 'vit-micro', '--batch', 'many', '--find', '1.5x'])
    expect(found.stderr).toMatch(/--batch many is none/)
  })

  test('--find turns the number of --reduce', async () => {
    const { code, stdout } = await runCli([
      ...[
        'bench',
        'vit-micro',
        '--threads',
        '1',
        '--find',
        '10000ms',
        '--reduce',
        'evit:0.5,fuse=false',
        '--json',
      ],
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'vit-micro', setting: 'evit:1,fuse=false' }])
  })

  test('--profile names scopes, operators and the rates of linear maps', async () => {
    const { code, stdout } = await runCli(['bench', 'micro+16', '--threads', '1', '--profile', '--json'])
    expect(code).toBe(0)
    const [profile] = JSON.parse(stdout)
    const scopes = profile.rows.map(
      ({ scope, operator }: { scope: string; operator: string }) => `${scope} ${operator}`,
    )
    expect(scopes).toContain('blocks.*.mlp.fc1 Gemm')
    expect(scopes).toContain('blocks.*.attn Attention')
    const shares = profile.rows.reduce((sum: number, { share }: { share: number }) => sum + share, 0)
    expect(shares).toBeCloseTo(1, 6)
    // micro: 64 tokens + CLS, width 64, hidden 256, in the one full layer
    expect(profile.products).toContainEqual(
      expect.objectContaining({ rows: 65, inner: 64, columns: 256, count: 1 }),
    )
  })

  test('--profile stopped by Ctrl-C leaves no profile behind', async () => {
    const folder = temporaryFolder()
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
    const env = { ...process.env, TMPDIR: folder }
    const child = spawn(process.execPath, [main, 'bench', 'micro+16', '--profile'], { env, stdio: 'ignore' })
    // ONNX Runtime has files of its own there
    const profiles = () => readdirSync(folder).filter((name) => name.startsWith('blvit-'))
    const watch = setInterval(() => {
      if (profiles().length === 0) return
      clearInterval(watch)
      child.kill('SIGINT')
    }, 5)
    const code = await new Promise((resolve) => child.on('close', resolve))
    clearInterval(watch)
    expect(code).toBe(130)
    expect(profiles()).toEqual([])
  })

  test('--find gives the largest keep ratio that is fast enough', async () => {
    const { code, stdout } = await runCli([
      'bench',
      'micro+16',
      '--threads',
      '1',
      '--find',
      '10000ms',
      '--json',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([
      { name: 'micro+16', setting: 'keep ratio 1', settings: { keepRatio: 1 } },
    ])
  })

  test('--against transformers.js times the way from files to labels with both', async () => {
    const { code, stdout, stderr } = await runCli([
      ...['bench', 'vit-tiny', '--against', 'transformers.js', '--rounds', '1', '--threads', '1', '--json'],
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ model: 'vit-tiny', theirs: expect.stringMatching(/^transformers.js \d/) })
    expect(report.comparisons.map(({ job }: { job: string }) => job)).toEqual([
      'first label of a new process',
      'one picture',
      'all pictures',
    ])
    for (const { ours, theirs, ratio } of report.comparisons) {
      expect(ratio).toBeCloseTo(theirs.median / ours.median, 10)
      expect(ratio).toBeGreaterThan(0)
    }
  })

  test.each([
    ['a speed that no keep ratio reaches', ['micro+16', '--find', '0.0001ms'], 1, /can't do that here/],
    [
      'a plain model to find a keep ratio for',
      ['vit-micro', '--find', '10ms'],
      1,
      /no number to turn.*--reduce evit:0\.7/,
    ],
    [
      'a reduction without one number to turn',
      ['vit-micro', '--find', '10ms', '--reduce', 'evit:0.9/0.7/0.5'],
      1,
      /no number to turn/,
    ],
    [
      'a reduction of a model with blocks of its own',
      ['micro+16', '--reduce', 'tome:8'],
      2,
      /for plain ViTs/,
    ],
    ['a goal without unit', ['micro+16', '--find', '20'], 2, /20ms or a speed-up such as 1.5x/],
    ['an unknown model', ['micro+61'], 1, /micro\+61/],
    ['a batch in words', ['micro+16', '--batch', 'lots'], 2, /whole number from 1 or many/],
    ['a keep ratio of 0', ['micro+16', '--keep-ratio', '0.5,0'], 2, /above 0/],
    ['an unknown device', ['micro+16', '--device', 'gpu'], 2, /auto, cpu, wasm, webgpu/],
    [
      'a folder without pictures',
      ['vit-tiny', '--against', 'transformers.js', '--pictures', 'src/graph'],
      1,
      /no pictures/,
    ],
    ['float16 on a processor', ['micro+16', '--dtype', 'fp32,fp16'], 1, /Use --device webgpu/],
    ['nothing to measure', [], 2, /missing required argument 'models'/],
    [
      'transformers.js in another precision',
      ['vit-tiny', '--against', 'transformers.js', '--dtype', 'int8'],
      2,
      /'--against <library>' cannot be used with option '--dtype/,
    ],
    [
      'transformers.js on another device',
      ['vit-tiny', '--against', 'transformers.js', '--device', 'wasm'],
      2,
      /'--against <library>' cannot be used with option '-d, --device/,
    ],
    [
      'several thread counts against transformers.js',
      ['vit-tiny', '--against', 'transformers.js', '--threads', '1,2'],
      2,
      /--threads 1,2 names 2 settings/,
    ],
    [
      'several batches to profile',
      ['micro+16', '--profile', '--batch', '1,8'],
      2,
      /--batch 1,8 names 2 settings/,
    ],
    [
      'several precisions to find a keep ratio for',
      ['micro+16', '--find', '10ms', '--dtype', 'fp32,int8'],
      2,
      /--dtype fp32,int8 names 2 settings/,
    ],
    ['several thread counts to train with', ['--train', '--threads', '1,2'], 2, /--threads 1,2 names 2/],
    [
      'rounds of a profile',
      ['micro+16', '--profile', '--rounds', '3'],
      2,
      /'--profile' cannot be used with option '--rounds/,
    ],
    [
      'rounds of a search',
      ['micro+16', '--find', '10ms', '--rounds', '3'],
      2,
      /'--find <goal>' cannot be used with option '--rounds/,
    ],
    ['pictures of nothing', ['micro+16', '--pictures', 'examples'], 2, /--pictures is for --against/],
    ['a plot of a plain model', ['vit-micro', '--plot', '/tmp/x.svg'], 2, /nothing to draw/],
    [
      'several keep ratios to profile',
      ['micro+16', '--profile', '--keep-ratio', '0.25,0.5'],
      2,
      /0\.25, 0\.5 are 2 settings/,
    ],
    [
      'a profile of an engine that keeps none',
      ['micro+16', '--profile', '--device', 'wasm'],
      1,
      /WebAssembly engine keeps no profile/,
    ],
    ['a setting that no model takes', ['vit-micro', '--keep-ratio', '0.5'], 2, /processes every token/],
    ['models beside --train', ['vit-tiny', '--train'], 2, /takes no models/],
    ['an unknown precision', ['micro+16', '--dtype', 'int4'], 2, /fp32, fp16, int8/],
    ['a file that can’t be written', ['micro+16', '--csv', '/nowhere/x.csv'], 1, /nowhere doesn't exist/],
  ])('refuses %s', async (_, words, expected, message) => {
    const { code, stdout, stderr } = await runInProcess(['bench', ...words])
    expect(code).toBe(expected)
    expect(stderr).toMatch(message)
    // it is told before anything is measured
    expect(stderr).not.toMatch(/^warming up|turns,/m)
    expect(stdout).toBe('')
  })
})
