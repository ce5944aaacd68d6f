import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchForbiddingStorage } from '../support/chromium.js'
import { labelsIn } from '../support/web-page.js'

interface StorageSteps {
  readonly browser: () => Browser
  /** Of the page. */
  readonly address: () => string
  /** A folder of a Segment Anything model. */
  readonly segmenter: string
  /** Where a browser may put its profile. */
  readonly profile: string
}

/** Registers the steps through pages of their own that may keep nothing. */
export function storageSteps({ browser, address, segmenter, profile }: StorageSteps): void {
  let page: Page
  beforeAll(async () => {
    page = await (await browser().newContext()).newPage()
    await page.goto(`${address()}#segment`)
    const storage = await page.context().newCDPSession(page)
    await storage.send('Storage.overrideQuotaForOrigin', { origin: new URL(address()).origin, quotaSize: 1 })
  })
  afterAll(() => page?.context().close())

  test('says that a model can’t be kept where the storage is full, and uses it all the same', async () => {
    await page.locator('#panel-segment input[webkitdirectory]').setInputFiles(segmenter)
    const engine = page.locator('.engine')
    await engine.getByText("can't be kept for the next visit").waitFor()
    expect(await engine.textContent()).toMatch(/[Qq]uota/)
    await page.locator('#panel-segment').getByRole('button', { name: 'kite' }).click()
    await page.locator('#panel-segment').getByText('Encoded once').waitFor()
  })

  test('where storing is forbidden it says so, and labels photos all the same', async () => {
    await using forbidding = await launchForbiddingStorage(profile)
    const page = await forbidding.newPage()
    const broken: string[] = []
    page.on('console', (message) => message.type() === 'error' && broken.push(message.text()))
    page.on('pageerror', ({ message }) => broken.push(message))
    await page.goto(address())
    await page.getByRole('button', { name: 'yurt' }).first().click()
    expect((await labelsIn(page, '#panel-look'))[0]?.label).toBe('yurt')
    await page.locator('footer').getByText('this page may not store files').waitFor()
    expect(broken).toEqual([])
  })
}
