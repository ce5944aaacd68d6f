import { expect, test } from 'vitest'
import { BlvitError, messageOf, throwIfAborted } from '../../src/base/blvit-error.js'

test('an error is data first: code, fields and cause beside the message', () => {
  const cause = new Error('EACCES')
  const error = new BlvitError(
    'WRITE_FAILED',
    'model.onnx can’t be written.',
    { path: 'model.onnx' },
    { cause },
  )
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({
    name: 'BlvitError',
    code: 'WRITE_FAILED',
    message: 'model.onnx can’t be written.',
    fields: { path: 'model.onnx' },
    cause,
  })
  expect(new BlvitError('ENGINE', 'x').fields).toEqual({})
})

test('a long message keeps what was wrong and what to do', () => {
  const { message } = new BlvitError(
    'BAD_WEIGHTS',
    `Tensor ${'a'.repeat(100_000)} is odd. Download it again.`,
  )
  expect(message.length).toBeLessThan(5_000)
  expect(message).toMatch(/^Tensor aaa/)
  expect(message).toMatch(/characters left out.*Download it again\.$/)
})

test('anything thrown has a message', () => {
  expect(messageOf(new TypeError('no'))).toBe('no')
  expect(messageOf('plain text')).toBe('plain text')
  expect(messageOf(undefined)).toBe('undefined')
})

test('only a signal that fired stops a job', () => {
  const caller = new AbortController()
  throwIfAborted(undefined)
  throwIfAborted(caller.signal)
  caller.abort()
  expect(() => throwIfAborted(caller.signal)).toThrow(expect.objectContaining({ code: 'ABORTED' }))
})
