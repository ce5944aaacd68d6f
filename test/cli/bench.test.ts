import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { type BenchOptions, bench } from '../../src/bench/bench.js'
import { benchCsv } from '../../src/bench/csv.js'
import { findSetting } from '../../src/bench/find-setting.js'
import { benchPlot } from '../../src/bench/plot.js'
import { profile } from '../../src/bench/profile.js'
import { benchText } from '../../src/cli/bench-report.js'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { writeTinyVit } from '../support/tiny-training.js'

/** A run each, cold: enough to see what is measured and how it is told. */
const briefly: BenchOptions = {
  ...{ rounds: 1, warmUpMs: 0, turnMs: 1 },
  products: [{ rows: 256, inner: 256, columns: 256 }],
}

describe('blvit bench', () => {
  test('measures a model beside its plain ViT, and writes table, CSV and plot', async () => {
    const folder = temporaryFolder()
    const [csv, svg] = [join(folder, 'speed.csv'), join(folder, 'speed.svg')]
    const { code, stdout, stderr } = await runCli([
      ...['bench', 'micro+16', '--rounds', '1', '--threads', '1', '--keep-ratio', '0.25'],
      ...['--csv', csv, '--plot', svg, '--json'],
    ])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const { results, ...report } = JSON.parse(stdout)
    expect(report).toMatchObject({
      version: 2,
      gemm: [{ device: 'auto', gflops: expect.any(Number) }],
      machine: { cores: expect.any(Number), node: process.version },
    })
    expect(results).toHaveLength(2)
    expect(readFileSync(csv, 'utf8').trimEnd().split('\n')).toHaveLength(3)
    expect(readFileSync(svg, 'utf8')).toContain('micro+16, keep ratio')
  })

  test('one picture and many stand beside each other', async () => {
    const report = await bench(['micro+16'], {
      ...{ ...briefly, threads: [2], batches: [1, 'many'] },
      settings: [{ keepRatio: 0.25 }, { keepRatio: 1 }],
    })
    const { results } = report
    // variants of a model stand together at each batch
    const variants = ['vit-micro plain', 'micro+16 keep ratio 0.25', 'micro+16 keep ratio 1']
    const rows = results.map(({ name, setting, many }) => `${name} ${setting}${many ? ', many' : ''}`)
    expect(rows.toSorted()).toEqual(variants.flatMap((row) => [row, `${row}, many`]).toSorted())
    expect(rows.filter((row) => row.startsWith('micro+16'))).toEqual(
      ['', ', many'].flatMap((kind) => variants.slice(1).map((row) => `${row}${kind}`)),
    )
    for (const result of results) {
      expect(result.latencyMs.median).toBeGreaterThan(0)
      if (result.name === 'micro+16') expect(result.against).toMatchObject({ baseline: 'vit-micro' })
      if (!result.many) {
        expect(result).toMatchObject({ batch: 1, precision: 'fp32' })
        expect(result.shareOfGemmRate).toBeGreaterThan(0)
        continue
      }
      const { lanes, threads, batch, pictures } = result.many
      expect([lanes, threads]).toEqual([2, 1])
      if (result.name === 'micro+16') expect(batch).toBe(4)
      expect(result.imagesPerSecond).toBeCloseTo((1000 * pictures) / result.latencyMs.median, 6)
      const single = results.find(
        (other) => other.name === result.name && other.setting === result.setting && !other.many,
      )
      expect(result.besideBatch1).toBeCloseTo(
        result.imagesPerSecond / (single?.imagesPerSecond ?? Number.NaN),
        6,
      )
    }
    expect(benchCsv(report).trimEnd().split('\n')).toHaveLength(7)
    const plot = benchPlot(report)
    for (const curve of ['micro+16, keep ratio, batch 1', 'micro+16, keep ratio, many'])
      expect(plot).toContain(curve)
  })

  test('reductions are measured beside the model with all its tokens, a row a setting', async () => {
    const settings = [{ reduce: 'evit:0.5,fuse=false' }, { reduce: 'tome:8' }]
    const report = await bench(['vit-micro'], { ...briefly, threads: [1], batches: [4], settings })
    const text = benchText(report)
    expect(text).toMatch(/^model +batch +setting +ms: p10/m)
    const rows = [...text.matchAll(/^vit-micro +4 +(\S+) (.*)$/gm)]
    expect(rows.map(([, setting]) => setting)).toEqual(['plain', 'evit:0.5,fuse=false', 'tome:8'])
    // the reduced ones end with what they are compared with
    expect(rows.map(([, , figures]) => figures?.endsWith(' vit-micro'))).toEqual([false, true, true])
    expect(text).toMatch(/matrix products alone: \d+ GFLOP\/s/)
  })

  test('many in int8: pictures of one run share their scales, so each runs alone', async () => {
    const { gemm, results } = await bench(['vit-micro'], {
      ...{ ...briefly, batches: ['many'], precisions: ['int8'], threads: [2] },
    })
    expect(gemm).toMatchObject([{ precision: 'int8' }])
    expect(results).toMatchObject([{ precision: 'int8', many: { lanes: 2, threads: 1, batch: 1 } }])
    expect(results[0]?.besideBatch1).toBeUndefined()
  })

  test.each([
    [
      'where one thing runs at a time',
      ['--batch', 'many', '--device', 'wasm'],
      2,
      /wasm runs one thing at a time/,
    ],
    ['as a batch to search at', ['--batch', 'many', '--find', '1.5x'], 2, /--batch many is none/],
  ])('many is refused %s', async (_, words, expected, message) => {
    const { code, stderr } = await runInProcess(['bench', 'vit-micro', ...words])
    expect(code).toBe(expected)
    expect(stderr).toMatch(message)
  })

  test('--find turns the number of --reduce', async () => {
    // of 4 patches at most 2 can join others: a value more is a process more
    const model = join(temporaryFolder(), 'vit')
    await writeTinyVit(model, { image_size: 8 })
    const { code, stdout } = await runCli([
      ...['bench', model, '--threads', '1', '--find', '10000ms'],
      ...['--reduce', 'tome:2,proportional=false', '--json'],
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject([{ setting: 'tome:1,proportional=false' }])
  })

  test('a profile names scopes, operators and the rates of linear maps', async () => {
    const [told] = await profile(['micro+16'], { threads: 1, turnMs: 1 })
    const { rows, products } = defined(told, 'a profile')
    const scopes = rows.map(({ scope, operator }) => `${scope} ${operator}`)
    expect(scopes).toContain('blocks.*.mlp.fc1 Gemm')
    expect(scopes).toContain('blocks.*.attn Attention')
    const shares = rows.reduce((sum, { share }) => sum + share, 0)
    expect(shares).toBeCloseTo(1, 6)
    // micro: 64 tokens + CLS, width 64, hidden 256, in the one full layer
    expect(products).toContainEqual(expect.objectContaining({ rows: 65, inner: 64, columns: 256, count: 1 }))
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

  test('a search gives the largest keep ratio that is fast enough', async () => {
    const found = await findSetting(['micro+16'], { ms: 10_000 }, { threads: 1, probeMs: 1 })
    expect(found).toMatchObject([{ name: 'micro+16', setting: 'keep ratio 1', settings: { keepRatio: 1 } }])
  })

  test('a search for a speed that no keep ratio reaches says what is the fastest', async () => {
    const search = findSetting(['micro+16'], { ms: 0.0001 }, { threads: 1, probeMs: 1 })
    await expect(search).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/can't do that here: at keep ratio .* it takes \d/),
    })
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
      ['vit-tiny', '--against', 'transformers.js', '--data', 'src/graph'],
      1,
      /no pictures/,
    ],
    ['float16 on a processor', ['micro+16', '--dtype', 'fp16,fp32'], 1, /Use --device webgpu/],
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
    ['pictures of nothing', ['micro+16', '--data', 'examples'], 2, /--data is for --against/],
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
