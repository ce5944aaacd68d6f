import { createRequire } from 'node:module'
import type sharp from 'sharp'

/**
 * sharp, loaded when the first picture comes: an engine can start on its thread meanwhile. By `require`, which reads its
 * twenty files in 36 ms instead of the 53 of `import`; code bundled as CommonJS has no address to require from.
 */
export async function loadSharp(): Promise<typeof sharp> {
  const here: string | undefined = import.meta.url
  return here === undefined ? (await import('sharp')).default : createRequire(here)('sharp')
}
