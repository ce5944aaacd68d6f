import { open, readFile, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { BlvitError, fileReason, messageOf, throwIfAborted } from '../../src/base/blvit-error.js'

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

test('why a file operation failed is told without paths', async () => {
  const reasonOf = (attempt: Promise<unknown>) => attempt.then(() => expect.fail('worked'), fileReason)
  expect(await reasonOf(open('/missing, really/a.txt'))).toBe('no such file or directory (ENOENT)')
  expect(await reasonOf(rename('/missing/a', '/missing/b'))).toBe('no such file or directory (ENOENT)')
  expect(await reasonOf(readFile(tmpdir()))).toBe('illegal operation on a directory (EISDIR)')
  expect(fileReason(new Error('a picture, open or not'))).toBe('a picture, open or not')
})

test('only a signal that fired stops a job', () => {
  const caller = new AbortController()
  throwIfAborted(undefined)
  throwIfAborted(caller.signal)
  caller.abort()
  expect(() => throwIfAborted(caller.signal)).toThrow(expect.objectContaining({ code: 'ABORTED' }))
})
