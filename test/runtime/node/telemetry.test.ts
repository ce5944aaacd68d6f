import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, test } from 'vitest'
import { temporaryFolder } from '../../support/temporary-folder.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const picture = join(root, 'examples/kite.jpg')
const scratch = temporaryFolder()

const classify = (options: string) => `
  const { load } = await import(${JSON.stringify(join(root, 'dist/index.js'))})
  const model = await load('vit-tiny', ${options})
  await model.classify(${JSON.stringify(picture)})
  // a device id is written at once, events a little later
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await model.dispose()`

const inWorker = (script: string, workerOptions = '') => `
  const { Worker } = await import('node:worker_threads')
  const worker = new Worker(${JSON.stringify(script)}, { eval: true ${workerOptions} })
  await new Promise((resolve, reject) => { worker.on('error', reject); worker.on('exit', resolve) })`

/** What a process left in the home folder that it was given. */
async function leftAtHome(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const home = join(scratch, name)
  mkdirSync(home)
  await promisify(execFile)(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: home, USERPROFILE: home, LOCALAPPDATA: home, ...env },
  })
  return readdirSync(home, { recursive: true, encoding: 'utf8' }).sort()
}

const run = (script: string) => ['--input-type=module', '--eval', script]

/** The same as a classic script, for the worker's `eval`. */
const asFunction = (script: string) => `(async () => {${script}\n})()`

// most of each test is waiting for what an engine may write late
describe.concurrent('ONNX Runtime reports nothing home', () => {
  test('from the command line, offline or not', async ({ expect }) => {
    const command = [join(root, 'dist/cli/main.js'), 'classify', picture, '--top', '1']
    expect(await leftAtHome('cli', command)).toEqual([])
    expect(await leftAtHome('offline', [...command, '--offline'])).toEqual([])
  })

  test('from the library', async ({ expect }) => {
    expect(await leftAtHome('library', run(classify('{}')))).toEqual([])
  })

  test('from a worker thread of the application, whose environment is a copy', async ({ expect }) => {
    const script = asFunction(classify('{}'))
    expect(await leftAtHome('worker', run(inWorker(script)))).toEqual([])
    // not even where the thread was given an environment that says nothing
    expect(await leftAtHome('bare-worker', run(inWorker(script, ', env: {}')))).toEqual([])
  })

  test('not even where a main thread that is held up can’t be asked: WebAssembly runs there, and says why', async ({
    expect,
  }) => {
    const home = join(scratch, 'held')
    mkdirSync(home)
    const done = JSON.stringify(join(scratch, 'held-no-longer'))
    const script = `(async () => {
      const { load } = await import(${JSON.stringify(join(root, 'dist/index.js'))})
      const { engine } = await load('vit-tiny')
      process._rawDebug(JSON.stringify({ device: engine.runtime.device, reason: engine.reason }))
      const { writeFileSync } = await import('node:fs')
      writeFileSync(${done}, '')
    })()`
    const waiting = `setInterval(() => fs.existsSync(${done}) && process.exit(), 50)`
    const program = `
      const { Worker } = await import('node:worker_threads')
      const { spawnSync } = await import('node:child_process')
      new Worker(${JSON.stringify(script)}, { eval: true, env: {} }).on('online', () => {
        spawnSync(process.execPath, ['--eval', ${JSON.stringify(waiting)}], { timeout: 50_000 })
      })`
    const { stderr } = await promisify(execFile)(process.execPath, run(program), {
      env: { PATH: process.env.PATH, HOME: home },
    })
    const { device, reason } = JSON.parse(stderr) as Record<string, string>
    expect(device).toBe('wasm')
    expect(reason).toMatch(
      /^WebAssembly runs instead of the native library: ONNX Runtime's native library would report home, .* Start the process with ORT_DISABLE_TELEMETRY=1/,
    )
    expect(readdirSync(home)).toEqual([])
  })

  test('from the processes of bench', async ({ expect }) => {
    const script = `
      const { bench } = await import(${JSON.stringify(join(root, 'dist/modules/bench/bench.js'))})
      const products = [{ rows: 8, inner: 8, columns: 8 }]
      await bench(['vit-micro'], { rounds: 1, warmUpMs: 0, turnMs: 1, products, threads: [1], batches: [1] })`
    expect(await leftAtHome('bench', run(script))).toEqual([])
  })

  test('unless BLVIT_TELEMETRY=1 turns its reports on', async ({ expect }) => {
    const left = await leftAtHome('on', run(classify('{}')), { BLVIT_TELEMETRY: '1' })
    expect(left.join('\n')).toMatch(process.platform === 'linux' ? /deviceid/ : /(?:)/)
  })
})
