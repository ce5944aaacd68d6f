import { expect, test } from 'vitest'
import { z } from 'zod'
import type { BlvitError } from '../../src/base/blvit-error.js'
import { parseJson, parseWith } from '../../src/base/parse.js'

const schema = z.object({ width: z.number(), little: z.object({ heads: z.number() }) })

test('what fits comes back as the schema reads it', () => {
  const value = { width: 192, little: { heads: 3 } }
  expect(parseWith(schema, value, 'config.json')).toEqual(value)
})

test('every complaint comes at once, each with its path', () => {
  const wrong = () => parseWith(schema, { width: '192', little: {} }, 'config.json')
  expect(wrong).toThrow(/^config\.json is not valid: width: .+; little\.heads: .+\.$/)
  expect(wrong).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
})

test('a complaint about the whole has no path, and the caller chooses the code', () => {
  expect(() => parseWith(z.number(), 'x', 'top', 'BAD_OPTION')).toThrow(
    expect.objectContaining({
      code: 'BAD_OPTION',
      message: expect.stringMatching(/^top is not valid: [^:]+: /),
    }),
  )
})

test('text that is no JSON is named, with the parser’s words and the cause', () => {
  expect(parseJson('{"a": [1]}', 'x.json')).toEqual({ a: [1] })
  let thrown: unknown
  try {
    parseJson('{"a": ', 'x.json', 'BAD_WEIGHTS')
  } catch (error) {
    thrown = error
  }
  const { code, message, cause } = thrown as BlvitError
  expect(code).toBe('BAD_WEIGHTS')
  expect(message).toMatch(/^x\.json is not JSON: .+/)
  expect(cause).toBeInstanceOf(SyntaxError)
})

test('nesting without end is refused before anything recurses over it', () => {
  const nested = (levels: number) => `${'['.repeat(levels)}"]]"${']'.repeat(levels)}`
  expect(parseJson(nested(100), 'x.json')).toBeInstanceOf(Array)
  expect(() => parseJson(nested(1_000_000), 'x.json', 'BAD_WEIGHTS')).toThrow(
    expect.objectContaining({
      code: 'BAD_WEIGHTS',
      message: 'x.json nests 1000000 levels; at most 100 are read.',
    }),
  )
})
