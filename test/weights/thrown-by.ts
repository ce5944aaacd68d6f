import { expect } from 'vitest'
import { BlvitError, type ErrorCode } from '../../src/base/blvit-error.js'

/** The BlvitError of a promise that must reject with this code. */
export async function thrownBy(promise: Promise<unknown>, code: ErrorCode): Promise<BlvitError> {
  const thrown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(thrown).toBeInstanceOf(BlvitError)
  const error = thrown as BlvitError
  expect(error.code, error.message).toBe(code)
  return error
}
