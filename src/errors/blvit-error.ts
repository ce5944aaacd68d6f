/** Every code a {@link BlvitError} can carry: stable, so that programs can branch on it. */
export type ErrorCode =
  | 'ABORTED'
  | 'BAD_CONFIG'
  | 'BAD_DATA'
  | 'BAD_IMAGE'
  | 'BAD_OPTION'
  | 'BAD_WEIGHTS'
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
    super(message, options)
    this.code = code
    this.fields = fields
  }
}

/** The message of anything thrown, for quoting inside another message. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Throws `ABORTED` if the signal has fired; call it between steps that take long. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new BlvitError('ABORTED', 'Stopped: the caller aborted the operation.')
}
