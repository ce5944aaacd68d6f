import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { crc32, deflateSync } from 'node:zlib'
import { unzipSync } from 'fflate'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { analyze } from '../../src/tasks/analyze/analyze.js'
import type { Model } from '../../src/tasks/model.js'
import { load } from '../../src/tasks/node/load.js'
import { hasChromium, launchChromium, withoutChromium } from '../support/chromium.js'
import { writeColour } from '../support/coloured-pictures.js'
import { type PageServer, servePages } from '../support/page-server.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { close, dropFile, labelsIn, type ShownLabel, shownLabels } from '../support/web-page.js'
import { segmentSteps } from './segment-steps.js'
import { storageSteps } from './storage-steps.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = temporaryFolder()
// all six, and a hundred photos more, are held against Node by scripts/compare-page.mjs
const examples = ['fly', 'fire engine']
const fileOf = (example: string) => join(root, `examples/${example.replace(' ', '-')}.jpg`)

/** A PNG of one bit a pixel, all black: of any size a few kilobytes. */
function blankPng(width: number, height: number): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  const rows = deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))))
  const chunks = [
    ['IHDR', header],
    ['IDAT', rows],
    ['IEND', Buffer.alloc(0)],
  ] as const
  const numbered = (number: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(number)
    return bytes
  }
  const chunk = ([name, content]: (typeof chunks)[number]) => {
    const body = Buffer.concat([Buffer.from(name), content])
    return Buffer.concat([numbered(content.length), body, numbered(crc32(body))])
  }
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks.map(chunk)])
}

/** What transformers.js says of a picture, in a process of its own, because it has another engine. */
async function byTransformersJs(model: string, picture: string): Promise<ShownLabel[]> {
  const code = `
    import { env, pipeline } from '@huggingface/transformers'
    env.allowRemoteModels = false
    const [model, picture] = process.argv.slice(1)
    const classifier = await pipeline('image-classification', model)
    console.log(JSON.stringify(await classifier(picture, { top_k: 5 })))`
  const args = ['--input-type=module', '--eval', code, model, picture]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
  const answers = JSON.parse(stdout) as { label: string; score: number }[]
  return answers.map(({ label, score }) => ({ label, probability: score }))
}

// one page through all of it, as a person would go: each step stands on those before
describe.skipIf(!hasChromium)(`the page in Chromium${withoutChromium}`, () => {
  let browser: Browser
  let server: PageServer
  let page: Page
  let model: Model
  const complaints: string[] = []

  beforeAll(async () => {
    const building = build({
      configFile: join(root, 'web/vite.config.ts'),
      logLevel: 'error',
      build: { outDir: join(folder, 'page') },
    })
    ;[browser, model] = await Promise.all([launchChromium(), load('blvit-tiny'), building])
    // where a server doesn't say which state of a file it sends, a download that was lost begins anew, and not by itself
    let losses = 1
    server = await servePages({
      folders: { page: join(folder, 'page') },
      isLost: (address) => address.endsWith('.safetensors') && losses-- > 0,
    })
    page = await browser.newPage()
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', ({ message }) => complaints.push(message))
    await page.goto(`${server.url}page/`)
  })
  afterAll(async () => {
    await model?.dispose()
    await browser?.close()
    await server?.[Symbol.asyncDispose]()
  })

  const drop = (name: string, content: Buffer) => dropFile(page, name, content)
  const labels = (panel: string) => labelsIn(page, panel)

  test('a connection that is lost in the middle of the model is told, and tried again', async () => {
    await drop('hummingbird.jpg', await readFile(fileOf('hummingbird')))
    const alert = page.locator('#panel-look [role=alert]')
    await alert.waitFor()
    expect(await alert.textContent()).toMatch(/hummingbird\.jpg: The connection was lost after \d+ bytes/)
    await alert.getByRole('button', { name: 'Try again' }).click()
    await labels('#panel-look')
    // the browser complains of it too
    expect(complaints.splice(0).filter((text) => !text.includes('net::ERR_'))).toEqual([])
  })

  test('a dropped photo gets Node’s labels and probabilities, and where its patches went', async () => {
    await drop('hummingbird.jpg', await readFile(fileOf('hummingbird')))
    const { top, steps } = await model.trace(fileOf('hummingbird'))
    expect(await labels('#panel-look')).toEqual(close(top))
    const patches = page.locator('#panel-look .patches')
    const { width, height } = (await patches.boundingBox()) ?? { width: 0, height: 0 }
    for (const [row, column] of [
      [0, 0],
      [4, 1],
      [7, 9],
      [13, 6],
    ] as const) {
      await patches.hover({ position: { x: ((column + 0.5) * width) / 14, y: ((row + 0.5) * height) / 14 } })
      const caption = page.getByText(`Patch in row ${row + 1}, column ${column + 1}`)
      await caption.waitFor()
      const paths = await page.locator('#panel-look .story tbody td:nth-of-type(1)').allTextContents()
      const expected = steps.map(({ big }) => (big?.includes(14 * row + column) ? 'big path' : 'little path'))
      expect(paths).toEqual(expected)
    }
  })

  test('says what computes, and that it has one thread where the host sends no headers', async () => {
    const line = await page.locator('.engine').textContent()
    expect(line).toMatch(/WebAssembly, 1 thread: there is no graphics processor/)
    expect(line).toContain('may not share memory')
    // this server doesn't say how large a model is
    expect(await page.locator('.engine progress').count()).toBe(0)
  })

  test('the examples get Node’s labels and probabilities', async () => {
    for (const name of examples) {
      await page.getByRole('button', { name, exact: true }).first().click()
      const { top } = await model.classify(fileOf(name))
      await page
        .locator('#panel-look .labels li')
        .first()
        .and(page.getByTitle(top[0]?.label ?? ''))
        .waitFor()
      expect(await labels('#panel-look')).toEqual(close(top))
    }
  })

  test('the dial changes work and answer', async () => {
    const dial = page.getByRole('slider', { name: 'Keep ratio' })
    await dial.focus()
    for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowLeft')
    const { multiplyAdds } = analyze(model.architecture, { keepRatio: 0.25 })
    // its table holds the same number
    const work = page.locator('#panel-look .facts strong')
    await work.filter({ hasText: `${(multiplyAdds.full / 1e9).toFixed(2)} G` }).waitFor()
    const { top } = await model.classify(fileOf('fire engine'), { keepRatio: 0.25 })
    expect(await labels('#panel-look')).toEqual(close(top))
    await page.getByText('As a table').click()
    expect(await page.locator('.curve tbody th').allTextContents()).toEqual(
      expect.arrayContaining(['0.25', '0.5']),
    )
  })

  test.each([
    ['notes.txt', Buffer.from('no picture'), 'is that of no known kind of picture'],
    ['empty.jpg', Buffer.alloc(0), 'is empty'],
    ['huge.png', blankPng(10_001, 10_000), '10001 × 10000, 100010000 pixels; the limit is 100000000'],
    ['phone.heic', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'it is HEIC'],
  ])('%s is refused in words', async (name, content, words) => {
    await drop(name, content)
    const alert = page.locator('#panel-look [role=alert]')
    await alert.filter({ hasText: `${name}: ` }).waitFor()
    expect(await alert.textContent()).toContain(words)
  })

  test('a photo after them gets its labels', async () => {
    await page.getByRole('button', { name: 'kite' }).first().click()
    expect((await labels('#panel-look'))[0]?.label).toBe('kite')
    expect(await page.locator('#panel-look [role=alert]').count()).toBe(0)
  })

  test('two ways stand side by side; one that makes no sense is told', async () => {
    await page.getByRole('tab', { name: 'Compare' }).click()
    const right = page.getByRole('region', { name: 'Right' })
    await right.getByLabel('Right').locator('option', { hasText: 'tome' }).waitFor({ state: 'attached' })
    await right.getByLabel('Right').selectOption({ label: 'ViT with tome' })
    await right.getByText('merged into').first().waitFor()
    await using plain = await load('vit-tiny')
    const left = close((await plain.classify(fileOf('kite'))).top)
    const { top } = await plain.classify(fileOf('kite'), { reduce: 'tome:8' })
    expect(await labels('#panel-compare')).toEqual([...left, ...close(top)])
    await right.getByLabel('As --reduce takes it').fill('tomme:8')
    await page.keyboard.press('Tab')
    await right.getByRole('alert').waitFor()
    expect(await right.getByRole('alert').textContent()).toContain('tomme')
  })

  describe('cuts out', () => {
    segmentSteps({
      page: () => page,
      folder,
      photo: fileOf('kite'),
      other: join(root, 'assets/models/vit-tiny'),
    })
  })

  describe('where nothing can be kept', () => {
    storageSteps({
      browser: () => browser,
      address: () => `${server.url}page/`,
      segmenter: join(folder, 'my-sam'),
      profile: join(folder, 'profile'),
    })
  })

  test('classes of one’s own are taught, tried and downloaded for the command line', async () => {
    await page.getByRole('tab', { name: 'Teach' }).click()
    const panel = page.locator('#panel-teach')
    for (const [at, colour] of (['red', 'blue'] as const).entries()) {
      const card = panel.locator('.class').nth(at)
      await card.getByRole('textbox').fill(colour)
      const paths = [0, 1, 2, 3].map((i) => writeColour(join(folder, `${colour}-${i}.png`), colour, i))
      await card.locator('input[type=file]').setInputFiles(await Promise.all(paths))
    }
    await panel.getByRole('button', { name: 'Teach', exact: true }).click()
    expect(await panel.getByRole('status').textContent()).toMatch(/right 8 of 8 times/)
    const other = await writeColour(join(folder, 'other.png'), 'red', 9)
    await panel.locator('.picker input[type=file]').setInputFiles(other)
    await panel.locator('.tried .labels').waitFor()
    const said = await shownLabels(panel.locator('.tried'))
    // a training of all layers takes minutes here (test/interop/teach-layers.test.ts is of a smaller model): what it is stopped by, the head stays
    await panel.getByRole('button', { name: 'Train the whole model' }).click()
    await panel.getByRole('button', { name: 'Stop' }).click()
    const downloading = page.waitForEvent('download')
    await panel.getByRole('button', { name: 'Download the model' }).click()
    const files = unzipSync(await readFile(await (await downloading).path()))
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), content)
    }
    await using taught = await load(join(folder, 'my-classes'))
    const { top } = await taught.classify(other)
    expect(top[0]?.label).toBe('red')
    expect(said).toEqual(close(top))
    expect(await byTransformersJs(join(folder, 'my-classes'), other)).toEqual(close(said))
    // what the next step leaves in the middle of it
    await panel.getByRole('button', { name: 'Train the whole model' }).click()
    await panel.getByRole('button', { name: 'Stop' }).waitFor()
  })

  test('left while it teaches and loaded again it works without a connection, and with more threads', async () => {
    await page.context().setOffline(true)
    await page.goto(`${server.url}page/`)
    await page.getByRole('button', { name: 'yurt' }).first().click()
    expect((await labels('#panel-look'))[0]?.label).toBe('yurt')
    await expect.poll(() => page.locator('.engine').textContent()).toMatch(/[2-8] threads/)
    await page.getByText('Kept for the next visit').click()
    expect(await page.locator('footer li').allTextContents()).toEqual([
      expect.stringContaining('blvit-tiny, 12.5 MB'),
      expect.stringContaining('vit-tiny, 11.5 MB'),
      expect.stringMatching(/^my-sam, 0\.\d MB/),
    ])
    await page.getByRole('button', { name: 'Forget these files' }).click()
    await page.getByText('Kept for the next visit').waitFor({ state: 'detached' })
  })

  test('nothing was refused by the page’s own policy, and nothing broke', () => {
    expect(complaints).toEqual([])
  })
})
