import { afterEach, vi } from 'vitest'

// files share processes
afterEach(() => {
  vi.unstubAllEnvs()
})
