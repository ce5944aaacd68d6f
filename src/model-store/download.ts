import { BlvitError, messageOf, throwIfAborted } from '../base/blvit-error.js'

export interface FetchProgress {
  /** Of the file. */
  readonly downloadedBytes: number
  /** Of the file; undefined where the server doesn't say. */
  readonly totalBytes: number | undefined
  readonly file: string
}

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined
}

/** What came of a file before its connection was lost. */
interface Part {
  readonly href: string
  /** Tells whether the file is still the same: its ETag or the time of its last change. */
  readonly state: string
  readonly totalBytes: number
  readonly chunks: readonly Uint8Array<ArrayBuffer>[]
  readonly sizeBytes: number
}

/** The newest alone: each may be as large as a model. */
let interrupted: Part | undefined

/** Before the connection is tried again, and once more. */
const waitsMs = [500, 3_000] as const

/** Of an address that has less now than came of it. */
const rangeNotSatisfiable = 416

async function ask(
  address: URL,
  part: Part | undefined,
  { signal }: DownloadOptions,
): Promise<Response | undefined> {
  const headers = part && { range: `bytes=${part.sizeBytes}-` }
  let response: Response
  try {
    response = await fetch(address, { ...(signal && { signal }), ...(headers && { headers }) })
  } catch (cause) {
    throwIfAborted(signal)
    throw new BlvitError(
      'OFFLINE',
      `${address.href} can't be fetched (${messageOf(cause)}): there is no connection, or its server doesn't let other pages read it (CORS).`,
      { url: address.href },
      { cause },
    )
  }
  if (response.ok || (part && response.status === rangeNotSatisfiable)) return response
  if (response.status === 404) return undefined
  throw new BlvitError(
    'NOT_FOUND',
    `${address.href} can't be fetched: the server answers ${response.status}.`,
    { url: address.href, status: response.status },
  )
}

/** What tells this content of an address from another one; undefined where the server doesn't say. */
function stateOf({ headers }: Response): string | undefined {
  const tag = headers.get('etag')
  // a weak tag is that of contents alike, not of the same bytes
  return tag && !tag.startsWith('W/') ? tag : (headers.get('last-modified') ?? undefined)
}

/** Whether an answer is what was missing of a file. */
function continues(response: Response, part: Part): boolean {
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '')
  return (
    response.status === 206 &&
    stateOf(response) === part.state &&
    Number(range?.[1]) === part.sizeBytes &&
    Number(range?.[2]) === part.totalBytes
  )
}

/** What is there of a file, from its beginning on, and how large all of it is. */
interface Received {
  readonly chunks: Uint8Array<ArrayBuffer>[]
  sizeBytes: number
  /** Undefined where the server doesn't say: of what is compressed on the way, the length says nothing. */
  readonly totalBytes: number | undefined
}

function begin(response: Response, part: Part | undefined): Received {
  if (part) return { chunks: [...part.chunks], sizeBytes: part.sizeBytes, totalBytes: part.totalBytes }
  const length = response.headers.has('content-encoding') ? null : response.headers.get('content-length')
  return { chunks: [], sizeBytes: 0, totalBytes: length === null ? undefined : Number(length) }
}

/** Reads what comes. @throws what a lost connection throws; what came is in `received` then */
async function receive(
  response: Response,
  received: Received,
  { address, onProgress }: { readonly address: URL } & DownloadOptions,
): Promise<void> {
  const file = address.pathname.replace(/^.*\//, '')
  for (const reader = response.body?.getReader(); reader; ) {
    const { done, value } = await reader.read()
    if (done) return
    received.chunks.push(value)
    received.sizeBytes += value.byteLength
    onProgress?.({ downloadedBytes: received.sizeBytes, totalBytes: received.totalBytes, file })
  }
}

async function attempt(address: URL, options: DownloadOptions): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { href } = address
  const before = interrupted?.href === href ? interrupted : undefined
  let response = await ask(address, before, options)
  const part = response && before && continues(response, before) ? before : undefined
  // a part of a file that has changed is of no use
  if (response && before && !part && response.status !== 200) {
    await response.body?.cancel()
    response = await ask(address, undefined, options)
  }
  if (!response) return undefined
  const received = begin(response, part)
  const { chunks, totalBytes } = received
  try {
    await receive(response, received, { address, ...options })
  } catch (cause) {
    const { sizeBytes } = received
    const state = stateOf(response)
    const goesOn = state !== undefined && totalBytes !== undefined && sizeBytes > 0
    if (goesOn) interrupted = { href, state, totalBytes, chunks, sizeBytes }
    throwIfAborted(options.signal)
    const message =
      `The connection was lost after ${sizeBytes} bytes${totalBytes === undefined ? '' : ` of ${totalBytes}`} of ${href} ` +
      `(${messageOf(cause)}). Load it again${goesOn ? ': it goes on from there' : ''}.`
    throw new BlvitError('OFFLINE', message, { url: href, goesOn }, { cause })
  }
  if (interrupted?.href === href) interrupted = undefined
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}

/** @throws BlvitError `ABORTED` */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms)
    function done() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
  })
  throwIfAborted(signal)
}

/**
 * The content of an address, undefined if there is nothing. Where the server says which state of the file it sends, a download whose
 * connection is lost goes on where it ended: at once, a little later, and with the next call for the same address.
 * @throws BlvitError `OFFLINE`, `NOT_FOUND`, `ABORTED`
 */
export async function download(
  address: URL,
  options: DownloadOptions = {},
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  for (const waitMs of waitsMs) {
    try {
      return await attempt(address, options)
    } catch (thrown) {
      if (interrupted?.href !== address.href || (thrown as BlvitError).code !== 'OFFLINE') throw thrown
    }
    await pause(waitMs, options.signal)
  }
  return await attempt(address, options)
}
