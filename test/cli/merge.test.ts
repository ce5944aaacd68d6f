import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import { runCli } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { tarBytes } from '../support/tar-bytes.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const example = (name: string) => join(root, 'examples', `${name}.jpg`)
const names = ['yurt', 'kite', 'hummingbird', 'fly', 'traffic-light', 'fire-engine']

/** Times differ from run to run. */
function timeless(printed: string): string {
  return printed.replaceAll(/\([\d.]+ ms\)|"elapsedMs":[\d.]+/g, '').replaceAll(/"timing":\{[^}]*\}/g, '')
}

describe('blvit merge', () => {
  const folder = temporaryFolder()
  const path = (name: string) => join(folder, name)
  const [model, classes, pictures] = [path('model'), path('classes'), path('pictures')]

  beforeAll(async () => {
    await writeModelFolder(model, randomModel(shrunk('vit-tiny', { num_classes: 8, depth: 2 })), {
      card: '# Tiny',
    })
    for (const [index, name] of names.entries()) {
      for (let copy = 0; copy < 8; copy++) {
        // where nobody is killed fewer do
        const folders = [join(classes, `${index}`), ...(copy < 3 ? [pictures] : [])]
        for (const each of folders) {
          mkdirSync(each, { recursive: true })
          copyFileSync(example(name), join(each, `${name}${copy}.jpg`))
        }
      }
    }
    const broken = readFileSync(example('kite')).subarray(0, 3000)
    writeFileSync(join(classes, '1/broken.jpg'), broken)
    writeFileSync(join(pictures, 'broken.jpg'), broken)
  })

  /** What the machines of a cluster do, all at once. */
  const shards = (args: readonly string[], name: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        runInProcess([...args, '--shard', `${index}/${count}`, '--part', path(`${name}-${index}.part`)]),
      ),
    )

  test('five processes, one killed with kill -9 and started again: the report and table of one', async () => {
    const tar = path('more.tar')
    writeFileSync(
      tar,
      tarBytes([
        { name: 'a.jpg', content: readFileSync(example('fly')) },
        { name: 'a.cls', content: '3' },
      ]),
    )
    const args = ['eval', model, '--data', tar, classes, '--teacher', model, '--batch', '1']
    const whole = await runInProcess([...args, '--per-image', path('whole.csv')])
    expect(whole.stdout).toContain('50 pictures, 49 evaluated')
    expect(whole.code).toBe(1)

    const partOf = (index: number) => ['--shard', `${index}/5`, '--part', path(`eval-${index}.part`)]
    const killed = killedAfter(1, [...args, ...partOf(3)], path('eval-3.part'))
    const others = [0, 1, 2, 4].map((index) =>
      (index === 0 ? runCli : runInProcess)([...args, ...partOf(index)]),
    )
    expect(await killed).toBe('SIGKILL')
    // a machine's failed pictures are no failure of the machine: its work is done
    expect((await Promise.all(others)).map(({ code }) => code)).toEqual([0, 0, 0, 0])

    const parts = join(folder, 'eval-?.part')
    const early = await runInProcess(['merge', parts])
    expect(early).toMatchObject({ code: 1, stdout: '' })
    expect(early.stderr).toMatch(
      /eval-3\.part \(shard 3\/5\) isn't finished or is damaged: .* Run its command again/,
    )

    const again = await runInProcess([...args, ...partOf(3)])
    expect(again.stderr).toMatch(/going on after \d+ pictures that are done/)
    const merged = await runCli(['merge', parts, '--per-image', path('merged.csv')])
    expect(merged.stdout).toBe(whole.stdout)
    expect(readFileSync(path('merged.csv'))).toEqual(readFileSync(path('whole.csv')))
    expect(merged.code).toBe(1)
    expect(merged.stderr).toMatch(/error: .*broken\.jpg.*decoded[\s\S]*1 of 50 pictures could not be used/)

    const json = await Promise.all([
      runInProcess([...args, '--json']),
      runInProcess(['merge', parts, '--json']),
    ])
    expect(timeless(json[1].stdout)).toBe(timeless(json[0].stdout))
    expect(JSON.parse(json[1].stdout).timing.pictures).toBeLessThanOrEqual(50)
  })

  test('classify: the text and the JSON lines of one process, as listed', async () => {
    const args = ['classify', example('yurt'), pictures, example('fly'), '-m', model, '--top', '2']
    const results = await shards(args, 'classify', 3)
    expect(results.map(({ code, stdout }) => [code, stdout])).toEqual(Array(3).fill([0, '']))
    const parts = [2, 0, 1].map((index) => path(`classify-${index}.part`))
    for (const format of [[], ['--json']]) {
      const [whole, merged] = await Promise.all([
        runInProcess([...args, ...format]),
        runInProcess(['merge', ...parts, ...format]),
      ])
      expect(timeless(merged.stdout)).toBe(timeless(whole.stdout))
      expect([merged.code, whole.code]).toEqual([1, 1])
    }
  })

  test('embed: the same files and summary', async () => {
    const args = ['embed', pictures, '-m', model, '--pooling', 'both']
    await shards(args, 'embed', 3)
    const parts = join(folder, 'embed-*.part')
    for (const ending of ['npy', 'jsonl', 'csv']) {
      const [whole, merged] = [path(`whole.${ending}`), path(`merged.${ending}`)]
      const [one, several] = await Promise.all([
        runInProcess([...args, '-o', whole, '--json']),
        runInProcess(['merge', parts, '-o', merged, '--json']),
      ])
      expect(several.stdout.replaceAll('merged', 'whole')).toBe(one.stdout)
      expect(readFileSync(merged)).toEqual(readFileSync(whole))
    }
    expect(readFileSync(path('merged.files.txt'))).toEqual(readFileSync(path('whole.files.txt')))
  })

  test('more shards than pictures: those without any are parts too', async () => {
    const few = [example('kite'), example('fly')]
    await shards(['classify', ...few, '-m', model], 'few', 4)
    const merged = await runInProcess(['merge', join(folder, 'few-*.part'), '--json'])
    expect(merged.code).toBe(0)
    expect(merged.stdout.match(/"picture":"[^"]*"/g)).toEqual(few.map((picture) => `"picture":"${picture}"`))
  })

  const shard = ['--shard', '0/2']
  const unwritten = path('x.part')
  test.each([
    ['n of 0', ['--shard', '0/0', '--part', unwritten], /error: The shard is "0\/0"; .* n is at least 1/],
    [
      'the last as people count',
      ['--shard', '2/2', '--part', unwritten],
      /shards count from 0, .* 0\/2 to 1\/2/,
    ],
    ['no numbers', ['--shard', 'a/b', '--part', unwritten], /must be i\/n in whole numbers: e\.g\. 0\/5/],
    ['no part', shard, /--shard needs --part <file>/],
    ['no shard', ['--part', unwritten], /--part needs --shard i\/n/],
    ['a report of a part', [...shard, '--part', unwritten, '--json'], /give --json to "blvit merge"/],
    ['two states', [...shard, '--part', unwritten, '--resume'], /leave out --resume/],
  ])('refuses %s, and writes nothing', async (_, options, message) => {
    const words = ['eval', model, '--data', classes, ...options]
    const { code, stdout, stderr } = await runInProcess(words)
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('    at ')
    expect([code, stdout]).toEqual([2, ''])
    expect(existsSync(unwritten)).toBe(false)
  })

  test('a machine that doesn’t see all pictures stops at once', async () => {
    const args = [
      'classify',
      pictures,
      path('elsewhere'),
      '-m',
      model,
      ...shard,
      '--part',
      path('blind.part'),
    ]
    const { code, stderr } = await runInProcess(args)
    expect(stderr).toMatch(/no file or folder .*elsewhere.* With --shard nothing may be missing/)
    expect(code).toBe(1)
    expect(existsSync(path('blind.part'))).toBe(false)
  })

  test('options of another command than that of the parts are refused', async () => {
    await shards(['classify', example('kite'), '-m', model], 'one', 1)
    const part = path('one-0.part')
    for (const [options, message] of [
      [['-o', path('x.npy')], /-o is for parts of embed, and these are of classify/],
      [['--per-image', path('x.csv')], /--per-image is for parts of eval, and these are of classify/],
    ] as const) {
      const { code, stderr } = await runInProcess(['merge', part, ...options])
      expect(stderr).toMatch(message)
      expect(code).toBe(2)
    }
    expect(existsSync(path('x.npy')) || existsSync(path('x.csv'))).toBe(false)
    const onItself = await runInProcess(['merge', part, '-o', part])
    expect(onItself.code).toBe(2)
  })
})

/** Runs a command until its state file has so many batches, and kills it. @returns the signal that ended it */
function killedAfter(
  batches: number,
  args: readonly string[],
  state: string,
): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args], { stdio: 'ignore' })
  const watch = setInterval(() => {
    // the first line says what the file is of
    if (existsSync(state) && readFileSync(state, 'utf8').split('\n').length > batches + 1)
      child.kill('SIGKILL')
  }, 2)
  return new Promise((resolve) => {
    child.on('close', (_, signal) => {
      clearInterval(watch)
      resolve(signal)
    })
  })
}
