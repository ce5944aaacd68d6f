// A process of its own for each measured model, so that models share neither threads, nor memory, nor luck.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defined } from '../base/assert.js'
import { type Answers, type Request, respond } from '../base/conversation.js'
import type { Job, Program, Questions, Run } from './messages.js'
import { loadProgram } from './programs/index.js'
import { median } from './spread.js'

/** Warm-up ends when this many runs are no faster than the ones before them. */
const stableRuns = 3
const stableWithin = 0.02
const usualLongestMs = 5000
/** Runs at the beginning of a profile that don't count. */
const coldRuns = 3

let program: Program | undefined
let profileFolder: string | undefined

function loaded(): Program {
  if (!program) throw new Error('blvit bug: nothing is loaded')
  return program
}

/**
 * Nanoseconds that this process's threads have waited for a processor that was busy with something else: the
 * measure of how disturbed a measurement was. Linux tells it; undefined elsewhere.
 */
function waitedForProcessor(): number | undefined {
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

/**
 * Linux tells it of this program alone; what Node tells of the process, in KiB, begins with what its parent had held when it
 * was started.
 */
function peakMemoryBytes(): number {
  try {
    const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    if (kibibytes !== undefined) return 1024 * Number(kibibytes)
  } catch {
    // another system
  }
  return 1024 * process.resourceUsage().maxRSS
}

async function timed(job: Job): Promise<Run> {
  const waitedBefore = waitedForProcessor()
  const start = performance.now()
  await loaded().run(job)
  const ms = performance.now() - start
  const waitedAfter = waitedForProcessor()
  const waitShare =
    waitedBefore === undefined || waitedAfter === undefined
      ? undefined
      : (waitedAfter - waitedBefore) / (1e6 * ms)
  return { ms, waitShare }
}

async function warmUp({ job, longestMs = usualLongestMs }: Questions['warmUp']['ask']): Promise<undefined> {
  const times: number[] = []
  const start = performance.now()
  while (performance.now() - start < longestMs || times.length < 2) {
    times.push((await timed(job)).ms)
    if (times.length < 2 * stableRuns) continue
    const [before, now] = [times.slice(-2 * stableRuns, -stableRuns), times.slice(-stableRuns)].map(median)
    if (before !== undefined && now !== undefined && now > (1 - stableWithin) * before) break
  }
  return undefined
}

const answers: Answers<Questions> = {
  load: async ({ workload, profileFolder: folder, ...engine }) => {
    profileFolder = folder
    const profilePrefix = profileFolder === undefined ? undefined : join(profileFolder, 'run')
    program = await loadProgram(workload, { ...engine, profilePrefix })
    const { engine: runner, many, counted } = program
    return { engine: runner, ...(many && { many }), ...(counted && { counted }) }
  },
  warmUp,
  peakMemory: async () => peakMemoryBytes(),
  sample: async ({ job, atLeastMs, atLeastRuns }) => {
    const runs: Run[] = []
    const start = performance.now()
    while (runs.length < atLeastRuns || performance.now() - start < atLeastMs) runs.push(await timed(job))
    return runs
  },
  profile: async ({ job, runs }) => {
    for (let run = 0; run < coldRuns + runs; run++) await loaded().run(job)
    await loaded().endProfile()
    const { readProfile } = await import('./read-profile.js')
    return readProfile(defined(profileFolder, 'a folder for the profile'), { skippedRuns: coldRuns })
  },
}

process.on('message', async (request: Request<Questions>) => {
  process.send?.(await respond(answers, request))
})
process.on('disconnect', async () => {
  await program?.dispose()
  process.exit()
})
// Ctrl-C reaches the whole group; the parent decides when its children go.
process.on('SIGINT', () => {})
