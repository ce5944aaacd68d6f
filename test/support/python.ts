import { spawnSync } from 'node:child_process'

/**
 * A Python that can import the modules, or undefined. Debian's own stands second, because its packages are
 * not seen by another Python that comes first on the path.
 */
export function pythonWith(...modules: readonly string[]): string | undefined {
  const script = `import ${modules.join(', ')}`
  return ['python3', '/usr/bin/python3'].find((python) => spawnSync(python, ['-c', script]).status === 0)
}
