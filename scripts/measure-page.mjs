// What the page costs, in Chromium on this machine: bytes of a first visit, time to the first label, the dial, long tasks of the main
// thread, memory after many photos; and a photo to its label against transformers.js in the same Chromium on the same ViT.
//   npm run build && npm run web:build && npx blvit export vit-tiny --for transformers.js -o /tmp/vit-tiny-onnx --overwrite
//   node scripts/measure-page.mjs /tmp/vit-tiny-onnx [visit,dial,memory,peers]
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { importMap, serveFolders } from './page-server.mjs'

const [exported, jobs = 'visit,dial,memory,peers'] = process.argv.slice(2)
if (exported === undefined) {
  console.error('usage: node scripts/measure-page.mjs <folder for transformers.js> [visit,dial,memory,peers]')
  process.exit(2)
}
const inRepository = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const photographs = readdirSync(inRepository('examples')).filter((name) => name.endsWith('.jpg'))
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(share * values.length)]

const server = await serveFolders({
  page: inRepository('build/web'),
  examples: inRepository('examples'),
  models: inRepository('assets/models'),
  dist: inRepository('dist'),
  node_modules: inRepository('node_modules'),
  exported,
  scripts: inRepository('scripts'),
})
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--enable-blink-features=ForceEagerMeasureMemory'],
})

/** A page with an empty profile, and what it is told of long tasks. */
async function openPage() {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.addInitScript(() => {
    globalThis.longTasks = []
    const note = (list) => {
      for (const { duration, startTime } of list.getEntries())
        globalThis.longTasks.push([startTime, duration])
    }
    new PerformanceObserver(note).observe({ type: 'longtask', buffered: true })
  })
  return page
}

/** Kilobytes on the way, gzipped, by kind. */
function sentByKind() {
  const kilobytes = { page: 0, examples: 0, engine: 0, model: 0 }
  const kindOf = (path) => {
    if (path.includes('/models/')) return 'model'
    if (/\.wasm$|\/ort\./.test(path)) return 'engine'
    return path.endsWith('.jpg') ? 'examples' : 'page'
  }
  for (const { path, bytes } of server.sent) kilobytes[kindOf(path)] += bytes / 1000
  return Object.entries(kilobytes).map(([kind, count]) => `${kind} ${count.toFixed(0)} kB`)
}

/** Takes an example and waits for its labels. @returns milliseconds from the click on */
async function example(page, name) {
  return page.evaluate(async (alt) => {
    const panel = document.querySelector('#panel-look')
    const began = performance.now()
    panel.querySelector(`.examples img[alt="${alt}"]`).closest('button').click()
    await new Promise((resolve) => setTimeout(resolve))
    for (;;) {
      if (panel.querySelector('.labels li')) return performance.now() - began
      await new Promise(requestAnimationFrame)
    }
  }, name)
}

const settled = (page) => page.locator('#panel-look [aria-busy=false] .labels').waitFor()

async function visit() {
  const page = await openPage()
  server.sent.length = 0
  await page.goto(`${server.url}page/`)
  await page.getByRole('button', { name: 'kite' }).first().waitFor()
  const opened = await page.evaluate(() => performance.now())
  const first = await example(page, 'kite')
  await settled(page)
  console.log(`first visit, with what the service worker keeps: ${sentByKind().join(', ')}`)
  console.log(
    `first visit: page there after ${opened.toFixed(0)} ms, first label ${first.toFixed(0)} ms after the click`,
  )
  await page.reload()
  await page.getByRole('button', { name: 'kite' }).first().waitFor()
  console.log(`second visit: first label ${(await example(page, 'kite')).toFixed(0)} ms after the click`)
  await settled(page)
  const line = await page.locator('.engine').textContent()
  console.log(line)
  await page.context().close()
}

async function dial() {
  const page = await openPage()
  await page.goto(`${server.url}page/`)
  await page.getByRole('button', { name: 'kite' }).first().click()
  await settled(page)
  await page.evaluate(() => {
    globalThis.longTasks.length = 0
  })
  // from a turn of the dial to its milliseconds on the page, and to the route that is drawn
  const measured = await page.evaluate(async () => {
    const panel = document.querySelector('#panel-look')
    const input = panel.querySelector('.dial input')
    const facts = () => panel.querySelector('.facts').textContent
    const until = async (isDone) => {
      while (!isDone()) await new Promise(requestAnimationFrame)
    }
    const labels = []
    const routes = []
    for (let turn = 0; turn < 40; turn++) {
      const before = facts()
      const began = performance.now()
      input.value = String(0.25 + 0.05 * ((7 * turn) % 16))
      input.dispatchEvent(new Event('input', { bubbles: true }))
      await until(() => facts() !== before)
      labels.push(performance.now() - began)
      await until(() => panel.querySelector('[aria-busy=false]'))
      routes.push(performance.now() - began)
    }
    return { labels, routes, longTasks: globalThis.longTasks }
  })
  const words = (values) =>
    `median ${median(values).toFixed(0)} ms, nine of ten within ${quantile(values, 0.9).toFixed(0)} ms`
  console.log(`dial to label: ${words(measured.labels)}; to the route: ${words(measured.routes)} (40 turns)`)
  const longest = Math.max(0, ...measured.longTasks.map(([, duration]) => duration))
  console.log(
    `long tasks of the main thread in 40 turns: ${measured.longTasks.length}, longest ${longest.toFixed(0)} ms`,
  )
  await page.context().close()
}

async function memory() {
  const page = await openPage()
  await page.goto(`${server.url}page/`)
  const photos = photographs.map((name) => readFileSync(inRepository(`examples/${name}`)).toString('base64'))
  for (let count = 1; count <= 200; count++) {
    await page.evaluate(
      async (base64) => {
        const panel = document.querySelector('#panel-look')
        const until = async (isDone) => {
          while (!isDone()) await new Promise(requestAnimationFrame)
        }
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
        const dataTransfer = new DataTransfer()
        dataTransfer.items.add(new File([bytes], `photo-${Math.random()}.jpg`))
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
        // the labels of the photo before go first
        await until(() => !panel.querySelector('.labels'))
        await until(() => panel.querySelector('[aria-busy=false] .labels'))
      },
      photos[count % photos.length],
    )
    if (count % 40 !== 0) continue
    const bytes = await page.evaluate(async () => (await performance.measureUserAgentSpecificMemory()).bytes)
    console.log(`memory of page and engine after ${count} photos: ${(bytes / 1e6).toFixed(1)} MB`)
  }
  const tasks = await page.evaluate(() => globalThis.longTasks)
  console.log(
    `long tasks of the main thread in 200 photos: ${tasks.length} ${tasks.map(([, ms]) => ms.toFixed(0)).join(' ')}`,
  )
  await page.context().close()
}

const theirEngine = '/node_modules/@huggingface/transformers/node_modules/onnxruntime-web'
const contenders = [
  { name: 'blvit', library: 'blvit' },
  // transformers.js brings another version of the engine
  { name: 'blvit on the engine of transformers.js', library: 'blvit', engine: theirEngine },
  { name: 'transformers.js', library: 'transformers.js' },
]

async function startContender({ library, engine }, threads, photos) {
  const page = await openPage()
  const headers = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  }
  const body = `<!doctype html>${importMap({ engine })}`
  await page.route(`${server.url}empty/`, (route) =>
    route.fulfill({ contentType: 'text/html', headers, body }),
  )
  await page.goto(`${server.url}empty/`)
  const options = JSON.stringify({ library, threads, photos })
  await page.evaluate(`import('/scripts/page-peers.mjs').then((peers) => peers.start(${options}))`)
  return page
}

/** A photo's bytes to its label, a page for each library and count of threads, in turns. */
async function peers() {
  const photos = photographs.map((name) => `/examples/${name}`)
  const rounds = 5
  for (const threads of [1, 2]) {
    const runs = []
    for (const contender of contenders) {
      runs.push({ ...contender, page: await startContender(contender, threads, photos), answers: [] })
    }
    for (let round = 0; round <= rounds; round++) {
      for (const { page, answers } of runs) {
        const some = await page.evaluate('globalThis.ask()')
        // the first round makes kernels and memory
        if (round > 0) answers.push(...some)
      }
    }
    const whole = (answers) => median(answers.map(({ ms }) => ms))
    const theirs = runs.at(-1).answers
    for (const { name, answers, page } of runs) {
      const alike = answers.filter(({ label }, at) => label === theirs[at].label).length
      const engineMs = median(answers.map(({ engineMs: ms }) => ms))
      console.log(
        `photo to label, wasm, ${threads} thread(s), ${name}: ${whole(answers).toFixed(1)} ms (the model ${engineMs.toFixed(1)}), ` +
          `${(whole(theirs) / whole(answers)).toFixed(2)} times as fast as transformers.js; ${alike} of ${answers.length} labels alike`,
      )
      await page.context().close()
    }
  }
}

try {
  for (const job of jobs.split(',')) await { visit, dial, memory, peers }[job]()
} finally {
  await browser.close()
  server.end()
}
