/** A page that waits longer for its service worker goes on without it. */
const patienceMs = 5_000

async function control(): Promise<void> {
  const { serviceWorker } = navigator
  await serviceWorker.register(new URL('service-worker.js', document.baseURI))
  if (serviceWorker.controller) return
  await new Promise((resolve) => {
    serviceWorker.addEventListener('controllerchange', resolve, { once: true })
  })
}

/**
 * Resolves when the service worker hears what the page fetches, so that it can be kept, or there is none: in private windows of
 * some browsers, on pages without https, in development.
 */
export const offlineReady: Promise<void> =
  import.meta.env.MODE === 'production' && 'serviceWorker' in navigator
    ? Promise.race([
        control().catch(() => {}),
        new Promise<void>((resolve) => setTimeout(resolve, patienceMs)),
      ])
    : Promise.resolve()
