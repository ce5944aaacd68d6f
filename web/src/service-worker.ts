// Keeps the page working without a connection: its files from its first visit on, the engine's once they have been used.
// Models are kept by blvit/web itself.

/** The page's files but for the engine, and a name for this state of them: `offline-page.ts` writes both in. */
declare const pageFiles: readonly string[]
declare const pageVersion: string

// the types of a service worker aren't among those of a page
interface ServiceWorker {
  readonly registration: { readonly scope: string }
  readonly clients: { claim(): Promise<void> }
  addEventListener(type: 'install' | 'activate', listener: (event: LateEvent) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void
}
interface LateEvent {
  waitUntil(work: Promise<unknown>): void
}
interface FetchEvent extends LateEvent {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}

const worker = self as unknown as ServiceWorker
const prefix = 'blvit-page-'
const name = `${prefix}${pageVersion}`

/** With these the page may share memory between threads, whatever its host sends. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

function isolated(response: Response): Response {
  const headers = new Headers(response.headers)
  for (const [header, value] of Object.entries(isolation)) headers.set(header, value)
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
}

async function removeOthers(): Promise<void> {
  for (const key of await caches.keys()) {
    if (key.startsWith(prefix) && key !== name) await caches.delete(key)
  }
}

/** What is kept, else what the host has, which is then kept too. */
async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(name)
  const isPage = request.mode === 'navigate'
  const asked = isPage ? worker.registration.scope : request.url
  const kept = await cache.match(asked)
  if (kept) return isolated(kept)
  const response = await fetch(request)
  // where nothing can be kept the page works all the same
  if (response.ok) await cache.put(asked, response.clone()).catch(() => {})
  return isolated(response)
}

worker.addEventListener('install', (event) => {
  const addresses = pageFiles.map((file) => new URL(file, worker.registration.scope).href)
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(addresses)))
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(removeOthers().then(() => worker.clients.claim()))
})

worker.addEventListener('fetch', (event) => {
  const { url, method } = event.request
  const isOwn = url.startsWith(worker.registration.scope)
  const isModel = url.startsWith(`${worker.registration.scope}models/`)
  if (method === 'GET' && isOwn && !isModel) event.respondWith(answer(event.request))
})
