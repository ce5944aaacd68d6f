import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

interface FullStorageSteps {
  readonly browser: () => Browser
  /** Of the page. */
  readonly address: () => string
  /** A folder of a Segment Anything model. */
  readonly segmenter: string
}

/** Registers the steps through a page of its own that may keep nothing. */
export function fullStorageSteps({ browser, address, segmenter }: FullStorageSteps): void {
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
}
