// The pictures of docs/browser.md, of a build of the page in Chromium; look at them before they are committed.
//   npm run build && npm run web:build && node scripts/page-screenshots.mjs <folder of two class folders> <segment anything model>
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import sharp from 'sharp'
import { serveFolders } from './page-server.mjs'

const [classes, sam] = process.argv.slice(2)
if (sam === undefined) {
  console.error(
    'usage: node scripts/page-screenshots.mjs <folder of two class folders> <segment anything model>',
  )
  process.exit(2)
}
const inRepository = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const server = await serveFolders({ page: inRepository('build/web') })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})

/** Photos of a class but the last, which is for trying. */
function photosOf(name) {
  const files = readdirSync(join(classes, name)).map((file) => join(classes, name, file))
  return { learned: files.slice(0, -1), tried: files.at(-1) }
}

async function shoot(page, name) {
  const picture = await page.screenshot({ fullPage: true })
  await sharp(picture)
    .png({ palette: true })
    .toFile(inRepository(`docs/images/page-${name}.png`))
}

const views = {
  async look(page, suffix) {
    await page.getByRole('button', { name: 'hummingbird' }).first().click()
    const dial = page.getByRole('slider', { name: 'Keep ratio' })
    await page.locator('#panel-look [aria-busy=false] .labels').waitFor()
    await page.getByRole('button', { name: 'Measure the whole curve' }).click()
    await page.getByRole('button', { name: 'Measure the whole curve' }).waitFor({ timeout: 120_000 })
    await dial.focus()
    for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowLeft')
    await page.waitForTimeout(1500)
    await page.locator('#panel-look .patches').hover({ position: { x: 110, y: 140 } })
    await shoot(page, `look${suffix}`)
  },
  async compare(page, suffix) {
    await page.getByRole('tab', { name: 'Compare' }).click()
    const left = page.getByRole('region', { name: 'Left' })
    await left.getByLabel('Left').locator('option', { hasText: 'evit' }).waitFor({ state: 'attached' })
    await left.getByLabel('Left').selectOption({ label: 'ViT with evit' })
    await page
      .getByRole('region', { name: 'Right' })
      .getByLabel('Right')
      .selectOption({ label: 'ViT with tome' })
    await page.getByText('merged into').first().waitFor()
    await page.waitForTimeout(1500)
    if (suffix === '') await shoot(page, 'compare')
  },
  async segment(page, suffix) {
    await page.getByRole('tab', { name: 'Segment' }).click()
    await page.locator('#panel-segment input[webkitdirectory]').setInputFiles(sam)
    await page.locator('#panel-segment').getByRole('button', { name: 'kite' }).click()
    await page.locator('#panel-segment').getByText('Encoded once').waitFor({ timeout: 240_000 })
    const stage = page.locator('#panel-segment .stage')
    const { width, height } = await stage.boundingBox()
    await stage.click({ position: { x: 0.6 * width, y: 0.3 * height } })
    await page.locator('#panel-segment').getByText('predicted overlap').first().waitFor()
    await page.waitForTimeout(500)
    await shoot(page, `segment${suffix}`)
  },
  async teach(page, suffix) {
    await page.getByRole('tab', { name: 'Teach' }).click()
    const panel = page.locator('#panel-teach')
    for (const [at, name] of readdirSync(classes).sort().entries()) {
      const card = panel.locator('.class').nth(at)
      await card.getByRole('textbox').fill(name)
      await card.locator('input[type=file]').setInputFiles(photosOf(name).learned)
    }
    await panel.getByRole('button', { name: 'Teach', exact: true }).click()
    await panel.getByRole('status').waitFor({ timeout: 120_000 })
    const [first] = readdirSync(classes).sort()
    await panel.locator('.picker input[type=file]').setInputFiles(photosOf(first).tried)
    await panel.locator('.tried .labels').waitFor()
    await page.waitForTimeout(500)
    await shoot(page, `teach${suffix}`)
  },
}

try {
  for (const [width, suffix, colorScheme] of [
    [1280, '', 'light'],
    [390, '-390', 'dark'],
  ]) {
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme })
    const page = await context.newPage()
    await page.goto(`${server.url}page/`)
    for (const view of Object.values(views)) await view(page, suffix)
    await context.close()
  }
} finally {
  await browser.close()
  server.end()
}
