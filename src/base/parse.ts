import type { z } from 'zod'
import { BlvitError, type ErrorCode } from './blvit-error.js'
import { nestingDepth } from './json-text.js'

/**
 * Parses a value from outside with a schema; every complaint at once, each with its path.
 * @param what names the value in the message, e.g. `"config.json"`
 */
export function parseWith<T>(
  schema: z.ZodType<T>,
  value: unknown,
  what: string,
  code: ErrorCode = 'BAD_CONFIG',
): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const complaints = parsed.error.issues.map((issue) => {
    const path = issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''
    return `${path}${issue.message}`
  })
  throw new BlvitError(code, `${what} is not valid: ${complaints.join('; ')}.`, { issues: complaints })
}

// Ours nest 5 levels. A stranger's may nest millions, and whatever recurses over them would overflow the stack.
const deepestNesting = 100

/** Parses JSON text, naming its origin when it is not JSON or nests without end. */
export function parseJson(text: string, what: string, code: ErrorCode = 'BAD_CONFIG'): unknown {
  const depth = nestingDepth(text)
  if (depth > deepestNesting) {
    throw new BlvitError(code, `${what} nests ${depth} levels; at most ${deepestNesting} are read.`, {
      depth,
    })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new BlvitError(code, `${what} is not JSON: ${(cause as Error).message}.`, {}, { cause })
  }
}
