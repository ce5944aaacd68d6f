import type { z } from 'zod'
import { BlvitError, type ErrorCode } from './blvit-error.js'

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

/** Parses JSON text, naming its origin when it is not JSON. */
export function parseJson(text: string, what: string, code: ErrorCode = 'BAD_CONFIG'): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new BlvitError(code, `${what} is not JSON: ${(cause as Error).message}.`, {}, { cause })
  }
}
