import { readdirSync, readFileSync } from 'node:fs'

/**
 * Nanoseconds that this process's threads have waited for a processor that was busy with something else: the
 * measure of how disturbed a measurement was. Linux tells it; undefined elsewhere.
 */
export function waitedForProcessor(): number | undefined {
  try {
    let waited = 0
    for (const thread of readdirSync('/proc/self/task')) {
      const [, waitedHere = '0'] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')
      waited += Number(waitedHere)
    }
    return waited
  } catch {
    return undefined
  }
}
