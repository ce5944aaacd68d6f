import type { Browser, Page, Worker } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { placeAt } from './photo-stage.js'

interface GraphicsSteps {
  readonly browser: () => Browser
  /** Of the page. */
  readonly address: () => string
  /** A folder of a Segment Anything model. */
  readonly model: string
}

/** Registers the steps through a page of its own that computes with WebGPU, and may keep nothing. */
export function graphicsSteps({ browser, address, model }: GraphicsSteps): void {
  let page: Page
  let worker: Worker
  beforeAll(async () => {
    page = await (await browser().newContext()).newPage()
    const starting = page.waitForEvent('worker')
    await page.goto(`${address()}?device=webgpu#segment`)
    worker = await starting
    // so that the graphics processor can be taken away later
    await worker.evaluate(`{
      const { requestDevice } = GPUAdapter.prototype
      globalThis.devices = []
      GPUAdapter.prototype.requestDevice = async function (...options) {
        const device = await requestDevice.apply(this, options)
        globalThis.devices.push(device)
        return device
      }
    }`)
    const storage = await page.context().newCDPSession(page)
    await storage.send('Storage.overrideQuotaForOrigin', { origin: new URL(address()).origin, quotaSize: 1 })
  })
  afterAll(() => page?.context().close())

  const engine = () => page.locator('.engine')

  test('says that a model can’t be kept where the storage is full, and uses it all the same', async () => {
    await page.locator('#panel-segment input[webkitdirectory]').setInputFiles(model)
    await engine().getByText("can't be kept for the next visit").waitFor()
    expect(await engine().textContent()).toMatch(/[Qq]uota/)
    await page.locator('#panel-segment').getByRole('button', { name: 'kite' }).click()
    await page.locator('#panel-segment').getByText('Encoded once').waitFor()
    expect(await worker.evaluate('globalThis.devices.length')).toBeGreaterThan(0)
  })

  test('goes on by WebAssembly when the graphics processor is lost, and says so', async () => {
    await worker.evaluate('globalThis.devices.forEach((device) => device.destroy())')
    const { mouse } = await placeAt(page, { height: 1, width: 1 }, [0.3, 0.3])
    await page.mouse.click(mouse.x, mouse.y)
    await engine().getByText('The graphics processor was lost').waitFor()
    // which of the masks it shows first was not always Node's, for a reason that isn't known yet, so only that there is one
    await page.locator('#panel-segment').getByText('of the photo; predicted overlap').waitFor()
  })
}
