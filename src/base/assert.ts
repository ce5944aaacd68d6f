/** An invariant of our own code: when it fails, blvit has a bug. User mistakes throw a BlvitError at the edge instead. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`blvit bug: ${message}`)
}

/** Narrows away `undefined` where our own code guarantees a value. */
export function defined<T>(value: T | undefined | null, what: string): T {
  assert(value !== undefined && value !== null, `${what} is missing`)
  return value
}
