import { BlvitError, messageOf } from '../../../base/blvit-error.js'

/** What was asked of the hub, for messages. */
export interface HubRequest {
  readonly id: string
  readonly revision: string
  readonly endpoint: string
}

/** Turns whatever talking to the hub threw into an error that says what to do. */
export function hubError(thrown: unknown, request: HubRequest): BlvitError {
  if (thrown instanceof BlvitError) return thrown
  const status = statusOf(thrown)
  return status === undefined ? unreachable(thrown, request) : statusError(status, request, thrown)
}

/** True where trying again may help: a cut connection, or a server that says it is busy. */
export function isPassing(thrown: unknown): boolean {
  if (thrown instanceof BlvitError) return false
  const status = statusOf(thrown)
  return status === undefined ? isNetworkFailure(thrown) : status === 429 || status >= 500
}

/** The error for an answer of the hub that isn't a success. */
export class HubStatusError extends Error {
  override readonly name = 'HubStatusError'
  readonly statusCode: number

  constructor(statusCode: number, url: string) {
    super(`status ${statusCode} from ${url}`)
    this.statusCode = statusCode
  }
}

function statusError(status: number, { id, revision, endpoint }: HubRequest, cause: unknown): BlvitError {
  const fields = { id, revision, endpoint, status }
  // The hub answers 401 for what doesn't exist, so that private names don't show.
  if (status === 404 || status === 401) {
    const message = `${endpoint} has no model ${id} at revision "${revision}", or it is private: check the name, or set HF_TOKEN.`
    return new BlvitError('NOT_FOUND', message, fields, { cause })
  }
  if (status === 403) {
    const message = `${id} is gated: accept its terms on ${endpoint}/${id} and set HF_TOKEN to a token of that account.`
    return new BlvitError('HUB', message, fields, { cause })
  }
  return new BlvitError(
    'HUB',
    `${endpoint} failed for ${id}: ${messageOf(cause)}. Try again later.`,
    fields,
    { cause },
  )
}

function unreachable(cause: unknown, { id, revision, endpoint }: HubRequest): BlvitError {
  const fields = { id, revision, endpoint }
  if (!isNetworkFailure(cause)) {
    return new BlvitError('HUB', `Downloading ${id} from ${endpoint} failed: ${messageOf(cause)}.`, fields, {
      cause,
    })
  }
  const reason =
    cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause)
  const message = `Can't reach ${endpoint} (${reason || 'no connection'}), and ${id} is not whole in the cache. Connect to the network, set HF_ENDPOINT to a mirror, or give a local folder instead.`
  return new BlvitError('OFFLINE', message, fields, { cause })
}

/** fetch reports every failure below HTTP as a TypeError; a body cut short as one called "terminated". */
function isNetworkFailure(thrown: unknown): boolean {
  return thrown instanceof TypeError && /fetch failed|terminated|network/i.test(thrown.message)
}

function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return undefined
  return typeof thrown.statusCode === 'number' ? thrown.statusCode : undefined
}
