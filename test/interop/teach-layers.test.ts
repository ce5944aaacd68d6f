import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import { nodeDecoder } from '../../src/image/node/decode.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import type { LayerProgress } from '../../src/tasks/browser/learn-layers.js'
import { type TaughtLayers, teachLayers } from '../../src/tasks/browser/teach-layers.js'
import type { TeachProgress } from '../../src/tasks/browser/teach-options.js'
import { Model } from '../../src/tasks/model.js'
import { load } from '../../src/tasks/node/load.js'
import { hasChromium, launchChromium, withoutChromium } from '../support/chromium.js'
import { expectClose } from '../support/expect-close.js'
import { type PageServer, servePages } from '../support/page-server.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { writeTinyVit } from '../support/tiny-training.js'
import type { PageLesson, teachModel } from './page/teach-model.js'

type Lesson = Awaited<ReturnType<typeof teachModel>>

const count = 14
const epochs = 2
const shades = { bright: 134, dark: 122 }
const labels = Object.keys(shades)
const names = Array.from({ length: count }, (_, i) => `${i}.png`)

/** Pictures of noise that are brighter or darker by a little: a head alone doesn't tell all of them. */
async function writeShades(folder: string): Promise<void> {
  for (const [label, shade] of Object.entries(shades)) {
    await mkdir(join(folder, label), { recursive: true })
    for (const name of names) {
      const random = seededRandom(3, label, name)
      const values = Uint8Array.from({ length: 3 * 16 * 16 }, () => shade + 200 * (random() - 0.5))
      await sharp(values, { raw: { width: 16, height: 16, channels: 3 } }).toFile(join(folder, label, name))
    }
  }
}

const isPatient = process.env.BLVIT_SLOW_TESTS === '1'
const patience = 120_000

describe.skipIf(!hasChromium)(`teachLayers in Chromium${withoutChromium}`, () => {
  const folder = temporaryFolder()
  const pictures = join(folder, 'pictures')
  let browser: Browser
  let server: PageServer
  let page: Page
  const losses: number[] = []
  let native: TaughtLayers

  beforeAll(async () => {
    await writeTinyVit(join(folder, 'vit'))
    await writeShades(pictures)
    server = await servePages({ folders: { scratch: folder } })
    browser = await launchChromium()
    page = await browser.newPage()
    await page.goto(server.url)
    const files = await openModel(join(folder, 'vit'))
    const runtime = await chooseRuntime('cpu', { thread: 'caller' })
    const model = new Model('vit', files, runtime, { decoder: nodeDecoder, threads: 1 })
    const classes = labels.map((label) => ({
      label,
      pictures: names.map((name) => join(pictures, label, name)),
    }))
    const onProgress = (progress: TeachProgress | LayerProgress) => {
      if (progress.phase === 'layers') losses.push(progress.loss)
    }
    native = await teachLayers(model, classes, { epochs, onProgress })
  })
  afterAll(async () => {
    await native?.model.dispose()
    await browser?.close()
    await server?.[Symbol.asyncDispose]()
  })

  async function teach(lesson: Pick<PageLesson, 'device' | 'stopAfter'>): Promise<Lesson> {
    const classes = labels.map((label) => ({
      label,
      pictures: names.map((name) => `/scratch/pictures/${label}/${name}`),
    }))
    const asked = {
      ...lesson,
      model: '/scratch/vit',
      classes,
      epochs,
      others: ['/scratch/pictures/dark/1.png'],
    }
    const text = await page.evaluate<string>(
      `import('/test/interop/page/teach-model.js')
        .then((page) => page.teachModel(${JSON.stringify(asked)}))
        .then((result) => JSON.stringify(result))`,
    )
    return JSON.parse(text) as Lesson
  }

  // SwiftShader takes a minute to compile what a step runs
  const devices = [['wasm', 1e-4], ...(isPatient ? [['webgpu', 1e-3] as const] : [])] as const
  test.each(devices)(
    'all layers learn as in Node, step by step, and what comes out answers alike: %s',
    async (device, atol) => {
      const lesson = await teach({ device })
      expect(lesson.losses).toHaveLength(losses.length)
      expectClose(lesson.losses, losses, { atol })
      const { accuracy, headAccuracy, bestEpoch } = native
      expect(lesson).toMatchObject({ accuracy, headAccuracy, bestEpoch })
      expect(lesson.curve.map((epoch) => epoch.accuracy)).toEqual(
        native.epochs.map((epoch) => epoch.accuracy),
      )
      expect(bestEpoch).toBeGreaterThan(0)
      for (const [name, content] of Object.entries(lesson.contents)) {
        const file = join(folder, device, name)
        await mkdir(dirname(file), { recursive: true })
        await writeFile(file, Buffer.from(content, 'latin1'))
      }
      const picture = join(pictures, 'dark/1.png')
      await using unpacked = await load(join(folder, device), { threads: 1 })
      const expected = lesson.tops[0] ?? []
      for (const made of [unpacked, native.model]) {
        const { top } = await made.classify(picture, { top: labels.length })
        expect(top.map(({ label }) => label)).toEqual(expected.map(({ label }) => label))
        const probabilities = top.map(({ probability }) => probability)
        expectClose(
          probabilities,
          expected.map(({ probability }) => probability),
          { atol },
        )
      }
    },
    patience,
  )

  test('what is stopped keeps what was best so far', async () => {
    const lesson = await teach({ device: 'wasm', stopAfter: 1 })
    expect(lesson.losses).toHaveLength(1)
    expect(lesson.curve.map(({ accuracy }) => accuracy)).toEqual(
      native.epochs.slice(0, 2).map(({ accuracy }) => accuracy),
    )
    expect(lesson.bestEpoch).toBe(1)
  })
})
