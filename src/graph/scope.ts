/**
 * Named scopes. A model is built by ordinary synchronous function calls, so the scope is dynamic: whatever
 * is made inside `scope('attn', …)` carries that name in its parameters, its ONNX nodes and its cost.
 */
let current = ''

/** Runs `build` inside the named scope: `scope('blocks.3', () => …)`. Scopes nest with dots. */
export function scope<T>(name: string | number, build: () => T): T {
  return atScope(scopedName(name), build)
}

/** Goes back into a scope by its whole path, for what a layer builds only when somebody asks for it. */
export function atScope<T>(path: string, build: () => T): T {
  const outer = current
  current = path
  try {
    return build()
  } finally {
    current = outer
  }
}

/** The scope that code runs in now; empty at the top. */
export function currentScope(): string {
  return current
}

/** A name inside the current scope. */
export function scopedName(name: string | number): string {
  return current === '' ? `${name}` : `${current}.${name}`
}
