/** Every code a {@link BlvitError} can carry: stable, so that programs can branch on it. */
export type ErrorCode =
  | 'ABORTED'
  | 'BAD_CONFIG'
  | 'BAD_DATA'
  | 'BAD_IMAGE'
  | 'BAD_OPTION'
  | 'BAD_WEIGHTS'
  | 'BUSY'
  | 'ENGINE'
  | 'HUB'
  | 'NOT_FOUND'
  | 'OFFLINE'
  | 'SHAPE_MISMATCH'
  | 'UNSUPPORTED'
  | 'WRITE_FAILED'

/** Facts about the failure that a program may want without parsing the message. */
export type ErrorFields = Readonly<Record<string, unknown>>

/**
 * The one error that blvit throws for anything its user can cause or mend.
 * The message says what was wrong, where, what was expected and what to do.
 */
export class BlvitError extends Error {
  override readonly name = 'BlvitError'
  readonly code: ErrorCode
  readonly fields: ErrorFields

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}, options?: ErrorOptions) {
    super(clipped(message), options)
    this.code = code
    this.fields = fields
  }
}

// A message quotes names and values of files from strangers, which may be of any length.
const longestMessage = 4_000
const shownEnd = 1_000

/** Cut in the middle: what was wrong stands at the beginning, what to do at the end. */
function clipped(message: string): string {
  if (message.length <= longestMessage) return message
  const left = message.length - longestMessage
  return `${message.slice(0, longestMessage - shownEnd)} … (${left} characters left out) … ${message.slice(-shownEnd)}`
}

/** The message of anything thrown, for quoting inside another message. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/**
 * Why something with a file failed, `permission denied (EACCES)`, without the path that Node's message ends in: it may be
 * a temporary one, which nobody has named.
 */
export function fileReason(thrown: unknown): string {
  const message = messageOf(thrown)
  const [, code, reason] = /^([A-Z][A-Z0-9]+): (.*?), [a-z]+( '.*')?$/s.exec(message) ?? []
  return code === undefined ? message : `${reason} (${code})`
}

/** Throws `ABORTED` if the signal has fired; call it between steps that take long. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted()
}

/** What is thrown when the caller's signal has fired. */
export function aborted(): BlvitError {
  return new BlvitError('ABORTED', 'Stopped: the caller aborted the operation.')
}

/** A message that begins with the name of what it is about; most messages name it already. */
export function messageAbout(name: string, message: string): string {
  return message.includes(name) ? message : `${name}: ${message}`
}
