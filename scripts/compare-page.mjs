// Labels, probabilities and routes of photos in Chromium beside those of Node: blvit-tiny, blvit/web on WebAssembly.
//   npm run build && node scripts/compare-page.mjs examples && node scripts/compare-page.mjs <folder of photos> 100
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { load } from '../dist/index.js'
import { importMap, serveFolders } from './page-server.mjs'

const [folder, count = '100'] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node scripts/compare-page.mjs <folder of photos> [how many]')
  process.exit(2)
}
const files = readdirSync(folder)
  .filter((name) => /\.jpe?g$/i.test(name))
  .sort()
  .slice(0, Number(count))
const inRepository = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const server = await serveFolders({
  photos: resolve(folder),
  ...Object.fromEntries(['dist', 'node_modules'].map((name) => [name, inRepository(name)])),
  models: inRepository('assets/models'),
})
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})
const model = await load('blvit-tiny')
try {
  const page = await browser.newPage()
  await page.route(`${server.url}empty/`, (route) =>
    route.fulfill({ contentType: 'text/html', body: `<!doctype html>${importMap()}` }),
  )
  await page.goto(`${server.url}empty/`)
  await page.evaluate(`import('/dist/web/index.js').then(async ({ load }) => {
    const model = await load('/models/blvit-tiny', { device: 'wasm' })
    globalThis.trace = async (address) => {
      const { top, steps } = await model.trace(address, { top: 5 })
      return { top, routes: steps.map(({ big }) => big && [...big].sort((a, b) => a - b)) }
    }
  })`)
  let [largest, sameLabels, sameFive, sameRoutes, patches] = [0, 0, 0, 0, 0]
  for (const name of files) {
    const there = await page.evaluate(
      (address) => globalThis.trace(address),
      `/photos/${encodeURIComponent(name)}`,
    )
    const { top, steps } = await model.trace(join(folder, name), { top: 5 })
    const probabilities = new Map(there.top.map(({ label, probability }) => [label, probability]))
    for (const { label, probability } of top) {
      const other = probabilities.get(label)
      if (other !== undefined) largest = Math.max(largest, Math.abs(other - probability))
    }
    if (there.top[0].label === top[0].label) sameLabels++
    if (there.top.every(({ label }, at) => label === top[at].label)) sameFive++
    const others = steps.map(({ big }, at) => {
      const own = new Set(there.routes[at])
      return big ? big.filter((patch) => !own.has(patch)).length : 0
    })
    const moved = others.reduce((a, b) => a + b, 0)
    if (moved === 0) sameRoutes++
    patches += moved
  }
  console.log(
    `${files.length} photos: ${sameLabels} first labels and ${sameFive} lists of five alike, probabilities within ${largest.toExponential(1)}; ` +
      `${sameRoutes} routes alike, ${patches} patches elsewhere in the others`,
  )
} finally {
  await model.dispose()
  await browser.close()
  server.end()
}
