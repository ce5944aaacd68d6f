import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { type OutputChunk, rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { finetune } from '../../src/finetune/finetune.js'
import { load } from '../../src/tasks/node/load.js'
import type * as web from '../../src/web.js'
import { hasChromium, launchChromium, withoutChromium } from '../support/chromium.js'
import { writeColours } from '../support/coloured-pictures.js'
import { expectClose } from '../support/expect-close.js'
import { type PageServer, servePages } from '../support/page-server.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { writeTinyVit } from '../support/tiny-training.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = temporaryFolder()

/** `blvit/web` as a bundler for browsers finds it; ONNX Runtime has its own files for WebAssembly. */
async function bundle(): Promise<OutputChunk[]> {
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/blvit'))
  await writeFile(join(folder, 'page.js'), "export * from 'blvit/web'")
  await using bundled = await rolldown({
    input: join(folder, 'page.js'),
    platform: 'browser',
    external: /^onnxruntime-web/,
    onwarn: (warning) => {
      throw new Error(warning.message)
    },
  })
  const { output } = await bundled.write({ dir: join(folder, 'page'), entryFileNames: 'page.js' })
  return output.filter((file) => file.type === 'chunk')
}

let chunks: OutputChunk[] = []
beforeAll(async () => {
  chunks = await bundle()
})

describe('blvit/web, bundled', () => {
  test('imports nothing but its own parts and ONNX Runtime’s build for browsers', () => {
    const own = chunks.map(({ fileName }) => fileName)
    const imports = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports])
    const others = new Set(imports.filter((name) => !own.includes(name)))
    expect([...others].sort()).toEqual(['onnxruntime-web', 'onnxruntime-web/webgpu'])
  })

  test('holds nothing of Node, nor what runs there alone', () => {
    const modules = chunks.flatMap(({ moduleIds }) => moduleIds)
    expect(modules.length).toBeGreaterThan(1)
    // what it is made of is checked by the layer rule; here, that nothing else came with it
    expect(modules.filter((id) => !/\/page\.js$|\/dist\/web\/[^/]+\.js$/.test(id))).toEqual([])
    for (const { code } of chunks) {
      expect(code.match(/["'`]node:\w+|\brequire\(|\bBuffer\./)?.[0]).toBeUndefined()
    }
  })
})

describe.skipIf(!hasChromium)(`blvit/web in Chromium${withoutChromium}`, () => {
  let browser: Browser
  let server: PageServer
  let page: Page

  beforeAll(async () => {
    await cp(join(root, 'assets/models'), join(folder, 'models'), { recursive: true })
    await cp(join(root, 'examples/kite.jpg'), join(folder, 'kite.jpg'))
    server = await servePages({ folders: { scratch: folder } })
    browser = await launchChromium()
    page = await browser.newPage()
    await page.goto(server.url)
  })
  afterAll(async () => {
    await browser?.close()
    await server?.[Symbol.asyncDispose]()
  })

  /** Runs a function body in the page, whose `web` is the bundle. */
  const inPage = (body: string): Promise<unknown> =>
    page.evaluate(`import('/scratch/page/page.js').then(async (web) => { ${body} })`)

  // red grows to the right, green downwards, blue is a chequerboard
  const side = 64
  const picture = {
    width: side,
    height: side,
    channels: 4 as const,
    values: Uint8ClampedArray.from({ length: side * side * 4 }, (_, i) => {
      const [x, y] = [(i >> 2) % side, Math.floor((i >> 2) / side)]
      return [4 * x, 4 * y, ((x >> 3) + (y >> 3)) % 2 ? 255 : 0, 255][i % 4] ?? 0
    }),
  }
  const imageData = `const image = new ImageData(Uint8ClampedArray.from(${JSON.stringify(Array.from(picture.values))}), ${side})`

  test('an ImageData gets the logits and labels that it gets in Node', async () => {
    await using model = await load('vit-tiny')
    const input = await model.prepare(picture)
    const expected = { input, logits: await model.logits([input]), top: (await model.classify(picture)).top }
    const found = (await inPage(`
      ${imageData}
      const model = await web.load('/scratch/models/vit-tiny', { device: 'wasm' })
      const input = await model.prepare(image)
      const logits = await model.logits([input])
      const { top } = await model.classify(image)
      const vector = await model.embed(image)
      await model.dispose()
      return { input: Array.from(input), logits: Array.from(logits), top, vector: Array.from(vector) }`)) as {
      input: number[]
      logits: number[]
      vector: number[]
      top: web.ScoredLabel[]
    }
    expect(found.input).toEqual(Array.from(expected.input))
    expectClose(found.logits, expected.logits, { atol: 1e-3 })
    expect(found.top.map(({ label }) => label)).toEqual(expected.top.map(({ label }) => label))
    expectClose(found.vector, await model.embed(picture), { atol: 1e-3 })
  })

  test('a folder that finetune wrote gets its labels and probabilities in Node', async () => {
    const [vit, photos, output] = ['vit', 'photos', 'mine'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await writeTinyVit(vit)
    await writeColours(photos, { count: 4 })
    await finetune(vit, photos, { output, threads: 1, cache: false })
    await using model = await load(output, { threads: 1 })
    const { top: expected } = await model.classify(picture)
    const { labels, top } = (await inPage(`
      ${imageData}
      const model = await web.load('/scratch/mine', { device: 'wasm' })
      const { top } = await model.classify(image)
      const { labels } = model
      await model.dispose()
      return { labels, top }`)) as { labels: string[]; top: web.ScoredLabel[] }
    expect(labels).toEqual(['blue', 'green', 'red'])
    expect(top.map(({ label }) => label)).toEqual(expected.map(({ label }) => label))
    const probabilities = (scored: readonly web.ScoredLabel[]) => scored.map(({ probability }) => probability)
    expectClose(probabilities(top), probabilities(expected), { atol: 1e-4 })
  })

  test('a route is traced, from files at hand, with settings', async () => {
    await using model = await load('blvit-tiny', { keepRatio: 0.25 })
    const expected = await model.trace(picture)
    const found = (await inPage(`
      ${imageData}
      const at = async (name) => (await fetch('/scratch/models/blvit-tiny/' + name))
      const model = await web.load({
        config: await (await at('config.json')).json(),
        preprocessorConfig: await (await at('preprocessor_config.json')).json(),
        weights: await (await at('model.safetensors')).blob(),
      }, { device: 'wasm', keepRatio: 0.25 })
      const { steps, setting } = await model.trace(image)
      await model.dispose()
      return JSON.parse(JSON.stringify({ setting, big: steps.map(({ big }) => big && Array.from(big)) }))`)) as {
      setting: string
      big: number[][]
    }
    expect(found.setting).toBe(expected.setting)
    expect(found.big).toEqual(expected.steps.map(({ big }) => big && Array.from(big)))
  })

  test('the browser’s decoder reads addresses and Blobs, and progress is told', async () => {
    const found = await inPage(`
      const seen = []
      const model = await web.load(new URL('/scratch/models/vit-tiny/', location.href), {
        device: 'wasm',
        onProgress: ({ file, downloadedBytes, totalBytes }) => seen.push([file, downloadedBytes, totalBytes]),
      })
      const blob = await (await fetch('/scratch/kite.jpg')).blob()
      const results = await model.classify(['/scratch/kite.jpg', blob, await blob.arrayBuffer()], { top: 1 })
      await model.dispose()
      return { labels: results.map(({ top }) => top[0].label), last: seen.at(-1)[0], grew: seen.at(-1)[1] > 1e7 }`)
    expect(found).toEqual({ labels: ['kite', 'kite', 'kite'], last: 'model.safetensors', grew: true })
  })

  test.each([
    ["web.load('/scratch/models/vit-tiny', { device: 'cpu' })", 'BAD_OPTION', 'There is no device "cpu".'],
    ["web.load('/scratch/nothing')", 'NOT_FOUND', '/scratch/nothing/ has no config.json.'],
    ["web.load('http://127.0.0.1:9/m')", 'OFFLINE', "can't be fetched"],
    [
      "web.load('/scratch/models/vit-tiny', { device: 'wasm' }).then((model) => model.classify(new Blob(['?'])))",
      'BAD_IMAGE',
      "can't be decoded",
    ],
  ])('%s is told as what it is', async (call, code, words) => {
    const error = await inPage(`
      const { name, code, message } = await ${call}.then(() => ({}), (error) => error)
      return { name, code, message }`)
    expect(error).toEqual({ name: 'BlvitError', code, message: expect.stringContaining(words) })
  })

  test('what a model costs is counted without loading it', async () => {
    const macs = await inPage("return web.analyze(web.presets['vit-tiny']).parameters")
    expect(macs).toBe(5_717_416)
  })
})
