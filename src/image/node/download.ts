import { BlvitError, messageOf, throwIfAborted } from '../../base/blvit-error.js'

// Camera JPEGs have up to 40 MB; more than this is no photograph, and memory is filled by a stranger.
const maxDownloadBytes = 100_000_000
// A server that is silent for this long won't answer.
const downloadTimeoutMs = 60_000

/**
 * Fetches a picture over http or https.
 * @throws BlvitError `OFFLINE` when the server can't be reached, `NOT_FOUND` when it answers with anything but
 * the picture, `BAD_OPTION` for an address with a password, `BAD_IMAGE` when the picture is over 100 MB, `ABORTED`
 */
export async function downloadImage(
  url: URL,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array> {
  if (url.username !== '' || url.password !== '') {
    throw new BlvitError(
      'BAD_OPTION',
      `The address at ${url.host} has a name and a password in it, which aren't sent; download the picture and pass its path.`,
    )
  }
  const timeout = AbortSignal.timeout(downloadTimeoutMs)
  try {
    const response = await fetch(url, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout })
    if (!response.ok) {
      throw new BlvitError(
        'NOT_FOUND',
        `${url.href} answered ${`${response.status} ${response.statusText}`.trim()}; ${adviceFor(response.status)}.`,
        { url: url.href, status: response.status },
      )
    }
    return await readBody(response, url)
  } catch (thrown) {
    throwIfAborted(signal)
    if (thrown instanceof BlvitError) throw thrown
    const reason = timeout.aborted ? `no answer within ${downloadTimeoutMs / 1000} s` : reasonOf(thrown)
    throw new BlvitError(
      'OFFLINE',
      `${url.href} could not be fetched: ${reason}. Check the network, or download the picture and pass its path.`,
      { url: url.href },
      { cause: thrown },
    )
  }
}

/** What helps against an answer that is no picture. */
function adviceFor(status: number): string {
  if (status === 429 || status >= 500) return 'try again later'
  if (status === 401 || status === 403)
    return "it doesn't give it to everybody: download the picture and pass its path"
  return 'check the address'
}

/** Reads chunk by chunk, because the Content-Length header may be absent or wrong. */
async function readBody(response: Response, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length
    if (sizeBytes > maxDownloadBytes) {
      throw new BlvitError(
        'BAD_IMAGE',
        `${url.href} has more than ${maxDownloadBytes} bytes, the limit for a download; pass a smaller picture or a file.`,
        { url: url.href, maxDownloadBytes },
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** fetch says only "fetch failed"; the reason is its cause. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  return messageOf(cause ?? thrown)
}
