import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/** Drops a file anywhere on a page. */
export async function dropFile(page: Page, name: string, content: Buffer): Promise<void> {
  await page.evaluate(
    ([fileName, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([bytes], fileName))
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
    },
    [name, content.toString('base64')] as const,
  )
}

export interface ShownLabel {
  readonly label: string
  readonly probability: number
}

/** The labels that are shown within something. */
export function shownLabels(within: Locator): Promise<ShownLabel[]> {
  return within.locator('.labels li').evaluateAll((items) =>
    items.map((item) => ({
      label: item.getAttribute('title') ?? '',
      probability: Number(item.querySelector('data')?.value),
    })),
  )
}

/** The labels that a tab shows, once it has nothing more to do. */
export async function labelsIn(page: Page, panel: string): Promise<ShownLabel[]> {
  await page.locator(`${panel} [aria-busy=false] .labels`).first().waitFor()
  return shownLabels(page.locator(panel))
}

/** Node's answer, as a page must show it: within 1e-4. */
export function close(top: readonly ShownLabel[]) {
  return top.map(({ label, probability }) => ({ label, probability: expect.closeTo(probability, 4) }))
}
