import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { runCli, stackTrace } from '../support/run-cli.js'
import { runInProcess } from '../support/run-in-process.js'
import { tarBytes } from '../support/tar-bytes.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const example = (name: string) => join(root, 'examples', `${name}.jpg`)
const labelled = { kite: 21, hummingbird: 94, yurt: 915, fly: 308, 'traffic-light': 920 }

describe('blvit eval', () => {
  const folder = temporaryFolder()
  const classes = join(folder, 'classes')

  beforeAll(() => {
    for (const [name, label] of Object.entries(labelled)) {
      mkdirSync(join(classes, `${label}`), { recursive: true })
      copyFileSync(example(name), join(classes, `${label}`, `${name}.jpg`))
    }
    // by WordNet id and by name
    mkdirSync(join(classes, 'n03345487'))
    copyFileSync(example('fire-engine'), join(classes, 'n03345487/a.jpg'))
    mkdirSync(join(classes, 'goldfish'))
    copyFileSync(example('fire-engine'), join(classes, 'goldfish/a.jpg'))
  })

  test('counts, with intervals, a table of each picture, progress and the share of the engine', async () => {
    const table = join(folder, 'answers.csv')
    const { code, stdout, stderr } = await runCli([
      ...['eval', 'vit-tiny', '--data', classes, '--teacher', 'vit-tiny'],
      ...['--per-image', table, '--batch', '2'],
    ])
    // the clock starts with the first batch: it has no rate
    expect(stderr).not.toMatch(/^2\/7 pictures/m)
    expect(stderr).toMatch(/7\/7 pictures, [\d.]+\/s, 0 s left/)
    expect(stderr).toMatch(
      /7 pictures in [\d.]+ s: [\d.]+ pictures\/s; the engine had work [\d.]+ % of the time\n$/,
    )
    expect(code).toBe(0)
    expect(stdout.replace(classes, 'classes')).toMatchInlineSnapshot(`
      "classes: 7 pictures, 7 evaluated, 7 of them labelled
      labels: class numbers from 0, and names of the model's classes

      model     setting       top-1  95 % interval       top-5  95 % interval  same as teacher   95 % interval
      vit-tiny  plain    85.7 % (6)  48.7 – 97.4 %  85.7 % (6)  48.7 – 97.4 %      100.0 % (7)  64.6 – 100.0 %
      vit-tiny  plain    85.7 % (6)  48.7 – 97.4 %  85.7 % (6)  48.7 – 97.4 %
      "
    `)
    const rows = readFileSync(table, 'utf8').trimEnd().split('\n')
    expect(rows.length).toBe(8)
    expect(rows[0]).toBe(
      'file,label,setting,predicted,predicted_label,probability,rank,teacher_predicted,error',
    )
    expect(rows).toContainEqual(expect.stringMatching(/^915\/yurt\.jpg,915,plain,915,yurt,0\.\d+,1,915,$/))
    expect(rows).toContainEqual(
      expect.stringMatching(/^goldfish\/a\.jpg,1,plain,555,"fire engine, fire truck",0\.\d+,\d+,555,$/),
    )
  })

  test('--json is one object; a broken picture is named, counted and left out, and the exit code is 1', async () => {
    const data = join(folder, 'mixed.tar')
    writeFileSync(
      data,
      tarBytes([
        { name: '1.jpg', content: readFileSync(example('kite')) },
        { name: '1.cls', content: '21' },
        { name: '2.jpg', content: readFileSync(example('kite')).subarray(0, 4000) },
        { name: '2.cls', content: '21' },
        { name: '../../3.jpg', content: readFileSync(example('yurt')) },
        { name: '../../3.cls', content: 'yurt' },
        { name: '4.jpg', content: readFileSync(example('yurt')) },
      ]),
    )
    const { code, stdout, stderr } = await runInProcess(['eval', 'vit-tiny', '--data', data, '--json'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/error: mixed\.tar\/2\.jpg: the picture of 4000 bytes can't be decoded/)
    expect(stderr).toMatch(/error: mixed\.tar\/4\.jpg has no label/)
    expect(stderr).toMatch(/2 of 4 pictures could not be used\./)
    expect(JSON.parse(stdout)).toEqual({
      ...{ labelRule: "class numbers from 0, and names of the model's classes", notes: [] },
      ...{ model: 'vit-tiny', data: [data], pictures: 4, evaluated: 2, labelled: 2 },
      failures: [
        { name: 'mixed.tar/2.jpg', code: 'BAD_IMAGE', message: expect.any(String) },
        { name: 'mixed.tar/4.jpg', code: 'BAD_DATA', message: expect.any(String) },
      ],
      results: [
        {
          setting: 'plain',
          top1: { count: 2, of: 2, share: 1, low: expect.closeTo(0.34238, 5), high: 1 },
          top5: { count: 2, of: 2, share: 1, low: expect.closeTo(0.34238, 5), high: 1 },
        },
      ],
      timing: {
        pictures: 4,
        elapsedMs: expect.any(Number),
        engineMs: expect.any(Number),
        picturesPerSecond: expect.any(Number),
      },
    })
    expect(existsSync(join(folder, '../../3.jpg'))).toBe(false)
  })

  test('killed twice with kill -9 and resumed, it reports what it reports uninterrupted', async () => {
    const many = join(folder, 'many')
    mkdirSync(many)
    const list = ['file,label']
    for (let i = 0; i < 48; i++) {
      const [name = '', label] = Object.entries(labelled)[i % 5] ?? []
      copyFileSync(example(name), join(many, `${i}.jpg`))
      list.push(`${i}.jpg,${i % 7 === 0 ? 7 : label}`)
    }
    writeFileSync(join(many, '13.jpg'), 'broken')
    writeFileSync(join(many, 'labels.csv'), list.join('\n'))
    const state = join(folder, 'eval.state')
    const table = (name: string) => join(folder, `${name}.csv`)
    const args = (name: string) => [
      // small, for it is the same pictures four times
      ...['eval', 'vit-tiny', '--image-size', '128', '--data', many, '--batch', '2', '--json'],
      ...['--per-image', table(name)],
    ]
    const counts = (stdout: string) => ({ ...JSON.parse(stdout), timing: undefined })

    const whole = await runInProcess(args('whole'))
    for (const batches of [3, 5])
      await killAfterBatches([...args('killed'), '--resume', state], state, batches)
    expect(existsSync(table('killed'))).toBe(false)
    const resumed = await runCli([...args('resumed'), '--resume', state])
    expect(resumed.stderr).toMatch(/going on after (1[6-9]|[234]\d) pictures that are done/)
    expect(counts(resumed.stdout)).toEqual(counts(whole.stdout))
    expect(readFileSync(table('resumed'))).toEqual(readFileSync(table('whole')))
    expect([whole.code, resumed.code]).toEqual([1, 1])

    const other = await runInProcess([...args('other'), '--resume', state, '--limit', '10'])
    expect(other.stderr).toMatch(
      /eval\.state is the state of another evaluation:\n {2}limit: none there, 10 now/,
    )
    expect(other.code).toBe(2)
  }, 180_000)

  test.each([
    ['no data', ['eval', 'vit-tiny'], 2, /required option '--data <paths\.\.\.>' not specified/],
    ['no model', ['eval', '--data', root], 2, /missing required argument 'model'/],
    [
      'a missing folder',
      ['eval', 'vit-tiny', '--data', join(root, 'exmples')],
      1,
      /Did you mean "examples"\?/,
    ],
    [
      'a folder that is no class',
      ['eval', 'vit-tiny', '--data', join(root, 'docs')],
      1,
      /class folder .*images/,
    ],
    [
      'a file of another kind',
      ['eval', 'vit-tiny', '--data', join(root, 'README.md')],
      1,
      /no data set that blvit knows/,
    ],
    [
      'a keep ratio for a plain ViT',
      ['eval', 'vit-tiny', '--data', root, '-r', '0.5,1'],
      2,
      /processes every token/,
    ],
    ['a keep ratio of 2', ['eval', 'vit-tiny', '--data', root, '-r', '0.5,2'], 2, /above 0 and up to 1/],
    ['a limit of 0', ['eval', 'vit-tiny', '--data', root, '--limit', '0'], 2, /whole number from 1/],
    [
      'a table in a folder that is not there',
      ['eval', 'vit-tiny', '--data', root, '--per-image', join(root, 'none/a.csv')],
      1,
      /none doesn't exist\. Make the folder first/,
    ],
    [
      'a state that is none',
      ['eval', 'vit-tiny', '--data', join(root, 'examples'), '--resume', join(root, 'README.md')],
      2,
      /no state file/,
    ],
  ])('%s: a clear message and no stack trace', async (_, args, expectedCode, message) => {
    const { code, stdout, stderr } = await runInProcess(args)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(stackTrace)
    expect(code).toBe(expectedCode)
    expect(stdout).toBe('')
  })

  test('without a name the state lies in the cache, and goes at the end', async () => {
    const cache = join(folder, 'cache')
    const args = ['eval', 'vit-tiny', '--data', classes, '--json', '--resume']
    vi.stubEnv('XDG_CACHE_HOME', cache)
    const { code } = await runInProcess(args)
    expect(code).toBe(0)
    expect(readdirSync(join(cache, 'blvit/evaluations'))).toEqual([])
  })
})

/** Kills the process without warning once its state has grown by so many batches. */
function killAfterBatches(args: readonly string[], state: string, batches: number): Promise<void> {
  const lines = () => (existsSync(state) ? readFileSync(state, 'utf8').split('\n').length - 1 : 0)
  const enough = Math.max(1, lines()) + batches
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), ...args], { stdio: 'ignore' })
  return new Promise((resolve, reject) => {
    const watch = setInterval(() => {
      if (lines() >= enough) child.kill('SIGKILL')
    }, 2)
    child.on('close', (_, signal) => {
      clearInterval(watch)
      if (signal === 'SIGKILL') resolve()
      else reject(new Error('It ended before it could be killed.'))
    })
  })
}
