import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Engine } from '../../src/engine/engine.js'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import { writeBlvitConfig } from '../../src/models/blvit-json.js'
import { programOf } from '../../src/models/model-definition.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { exportOnnx } from '../../src/tasks/node/export/export-onnx.js'
import { writeSafetensors } from '../../src/weights/node/write-safetensors.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { hasChromium, launchChromium, withoutChromium } from '../support/chromium.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { configOf, readGoldenCase } from '../support/golden-blvit.js'
import { goldenTraining } from '../support/golden-train-step.js'
import { type PageServer, servePages } from '../support/page-server.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { feedsOf, randomModel, randomPixels, shrunk } from '../support/tiny-models.js'
import type * as pageModule from './page/run-model.js'

type PageFunctions = typeof pageModule

// A GPU that the processor computes takes seconds for one picture through ViT-Tiny on an idle machine, and half a
// second to compile each new operator.
const patience = 240_000

describe.skipIf(!hasChromium)(`in Chromium${withoutChromium}`, () => {
  const folder = temporaryFolder()
  let browser: Browser
  let isolated: PageServer
  let plain: PageServer

  beforeAll(async () => {
    const folders = { scratch: folder, ...(hasSharedData ? { shared: shared('') } : {}) }
    isolated = await servePages({ folders, isolated: true })
    plain = await servePages({ folders })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await plain?.[Symbol.asyncDispose]()
    await isolated?.[Symbol.asyncDispose]()
  })

  /** Calls a function of page/run-model.ts in a page. */
  async function callIn<Name extends keyof PageFunctions>(
    page: Page,
    name: Name,
    args: Parameters<PageFunctions[Name]>,
  ): Promise<Awaited<ReturnType<PageFunctions[Name]>>> {
    // as text, because vitest rewrites the imports of functions; the result too, because Playwright takes seconds for as
    // many numbers as a model has
    const result = await page.evaluate<string>(
      `import('/test/interop/page/run-model.js')
        .then((page) => page.${name}(...${JSON.stringify(args)}))
        .then((result) => JSON.stringify(result))`,
    )
    return JSON.parse(result) as Awaited<ReturnType<PageFunctions[Name]>>
  }

  /** A page for most tests of a server: what it has read and compiled, ONNX Runtime and shaders, serves again. */
  const pages = new Map<PageServer, Promise<Page>>()
  async function inPage<Name extends keyof PageFunctions>(
    name: Name,
    args: Parameters<PageFunctions[Name]>,
    server: PageServer = plain,
  ): Promise<Awaited<ReturnType<PageFunctions[Name]>>> {
    const page = pages.get(server) ?? openPage(server)
    pages.set(server, page)
    return callIn(await page, name, args)
  }

  async function openPage(server: PageServer): Promise<Page> {
    const page = await browser.newPage()
    await page.goto(server.url)
    return page
  }

  describe('a tiny big.LITTLE model', () => {
    const files = randomModel(shrunk('micro+16', { rows: 4, columns: 4 }))
    const { architecture, weights } = files
    const pictures = randomPixels(architecture, { count: 2 })
    const keepRatios = [0.5, 1]
    const expected: Float32Array[] = []
    beforeAll(async () => {
      await writeModelFolder(join(folder, 'tiny'), files, { card: '' })
      const { channels, image } = architecture
      const pixels = storedFrom(pictures.values, [2, channels, image.height, image.width])
      await writeSafetensors(join(folder, 'pixels.safetensors'), [['pixels', pixels]])
      await using engine = await Engine.load(
        { architecture, weights, runtime: await nativeRuntime() },
        (model) => programOf(model, 'classify'),
      )
      for (const keepRatio of keepRatios) {
        const { outputs } = await engine.run(feedsOf(pictures), { keepRatio })
        expected.push(outputs.logits?.values as Float32Array)
      }
    })
    const pixels = { file: '/scratch/pixels.safetensors', name: 'pixels' }
    const run = {
      config: architecture.json,
      weights: '/scratch/tiny/model.safetensors',
      pixels,
      keepRatios,
    }

    test.each([
      ['WebAssembly', { device: 'wasm' }, false],
      ['WebAssembly with two threads, in a page that may share memory', { device: 'wasm', threads: 2 }, true],
      // each number of tokens has shaders of its own, which SwiftShader compiles for seconds
      ['WebGPU alone', { device: 'webgpu', keepRatios: keepRatios.slice(0, 1) }, false],
    ] as const)(
      'gives the logits of the native engine at its keep ratios: %s',
      async (_, how, withThreads) => {
        const asked = { ...run, ...how }
        const { logits, isolated: shares } = withThreads
          ? // a page begins with so many threads, and stays with them
            await callIn(await openPage(isolated), 'runModel', [asked])
          : await inPage('runModel', [asked])
        expect(shares).toBe(withThreads)
        expect(logits).toHaveLength(asked.keepRatios.length)
        for (const [i, each] of logits.entries())
          expectClose(each, expected[i] ?? [], { atol: 1e-4, rtol: 1e-4 })
      },
      patience,
    )

    const inFloat16 = { ...run, device: 'webgpu', precision: 'fp16' } as const

    test(
      'float16 gives nearly the logits of the native engine on WebGPU',
      async ({ skip }) => {
        const features = await inPage('adapterFeatures', [])
        skip(!features.includes('shader-f16'), 'the adapter, SwiftShader, has no shader-f16')
        const { logits } = await inPage('runModel', [inFloat16])
        expected.forEach((each, i) => {
          expectClose(logits[i] ?? [], each, { atol: 0.02 * Math.max(...each.map(Math.abs)) })
        })
      },
      patience,
    )

    test(
      'float16 is refused where the adapter has none',
      async ({ skip }) => {
        const features = await inPage('adapterFeatures', [])
        skip(features.includes('shader-f16'), 'the adapter has shader-f16')
        await expect(inPage('runModel', [inFloat16])).rejects.toThrow(
          /This browser's WebGPU adapter computes no float16 \(it lacks the feature shader-f16\)/,
        )
      },
      patience,
    )

    test.each(['wasm', 'webgpu'] as const)(
      'as an exported file runs in plain onnxruntime-web: %s',
      async (device) => {
        await exportOnnx(files, join(folder, `${device}.onnx`), { target: 'standard', keepRatio: 0.5 })
        const logits = await inPage('runOnnx', [`/scratch/${device}.onnx`, pixels, device])
        expectClose(logits, expected[0] ?? [], { atol: 1e-4, rtol: 1e-4 })
      },
      patience,
    )

    test(
      'a graph with operators that WebGPU lacks is refused, not left to the processor',
      async () => {
        await exportOnnx(files, join(folder, 'other.onnx'), { target: 'standard' })
        const complaint = await inPage('complaintOnGpu', ['/scratch/other.onnx'], isolated)
        expect(complaint).toMatch(
          /assigned to the default CPU EP, but fallback to CPU EP has been .*disabled/,
        )
      },
      patience,
    )
  })

  describe.skipIf(!hasSharedData)(`the reference results${withoutSharedData}`, () => {
    test.each([
      ['WebAssembly', { device: 'wasm' }, 4],
      // one picture is enough there: see above
      ['WebGPU alone', { device: 'webgpu' }, 1],
    ] as const)(
      'ViT-Tiny’s logits of torch on %s',
      async (_, how, count) => {
        const name = 'vit_tiny_patch16_224'
        const golden = await readGolden(shared(`reference/${name}.safetensors`))
        const asked = {
          ...how,
          config: JSON.parse(readFileSync(shared(`weights/${name}/config.json`), 'utf8')),
          weights: `/shared/weights/${name}/model.safetensors`,
          pixels: { file: `/shared/reference/${name}.safetensors`, name: 'in/pixels', count },
        }
        const { logits } = await inPage('runModel', [asked], how.device === 'webgpu' ? plain : isolated)
        const expected = golden.floats('out/logits').subarray(0, 1000 * count)
        expectClose(logits[0] ?? [], expected, { atol: 1e-3 })
      },
      patience,
    )

    test.each(['default', 'cls-attention'])(
      'the independent float64 bLViT “%s” on WebGPU alone',
      async (name) => {
        const keepRatio = 0.25
        const goldenCase = readGoldenCase(name)
        const file = `/shared/golden/blvit/${name}.safetensors`
        const golden = await readGolden(shared(`golden/blvit/${name}.safetensors`))
        const { tolerance } = goldenCase
        const { logits } = await inPage('runModel', [
          {
            device: 'webgpu',
            config: writeBlvitConfig(configOf(goldenCase)),
            weights: file,
            weightsPrefix: 'w/',
            pixels: { file, name: 'in/x' },
            keepRatios: [keepRatio],
          },
        ])
        expectClose(logits[0] ?? [], golden.floats(`out/keep${keepRatio}/logits`), { atol: tolerance })
      },
      patience,
    )

    // WebGPU allows exponentials and logarithms errors of several units in the last place, and softmax and GELU are
    // made of them.
    test.each([
      ['wasm', { parts: 1e-5, gradients: 1e-4 }],
      ['webgpu', { parts: 3e-5, gradients: 1e-3 }],
    ] as const)(
      'two training steps of the independent float64 bLViT: loss parts, gradients, weights: %s alone',
      async (device, tolerances) => {
        const config = configOf(readGoldenCase('train-step'))
        const golden = await readGolden(shared('golden/blvit/train-step.safetensors'))
        const { smoothing, learningRate } = goldenTraining
        const targets = golden
          .integers('train/labels')
          .map((label) =>
            Array.from(
              { length: config.classes },
              (_, i) => smoothing / config.classes + (i === label ? 1 - smoothing : 0),
            ),
          )
        const file = '/shared/golden/blvit/train-step.safetensors'
        const trained = await inPage('trainGoldenModel', [{ device, config, kept: 4, file, targets }])
        trained.parts.forEach((parts, i) => {
          expectClose(parts, golden.floats(`train/loss${i}`), { atol: tolerances.parts })
        })
        for (const name of golden.weights('w/').keys()) {
          const expected = golden.floats(`train/grad/${name}`)
          const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-3)
          expectClose(trained.gradients[1]?.[name] ?? [], expected, { atol: tolerances.gradients * largest })
          // Adam divides a gradient by its own size: one that is 0 but for rounding may move as far as any other
          const first = trained.gradients[0]?.[name] ?? []
          const isSound = (_: number, i: number) => Math.abs(first[i] ?? 0) > 1e-6
          const weights = trained.weights[name] ?? []
          const after = golden.floats(`train/after2/${name}`)
          expectClose(weights.filter(isSound), after.filter(isSound), { atol: 1e-5 })
          expectClose(weights, after, { atol: 2.1 * learningRate })
        }
      },
      patience,
    )
  })
})
