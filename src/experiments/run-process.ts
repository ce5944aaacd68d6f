// A process of its own for each run: one thread each, and a failure takes no other with it.
import { type Request, respond } from '../base/conversation.js'
import type { Told } from '../threads/answering-process.js'
import { type RunProgress, type RunQuestions, run, trainTeacher } from './run.js'

/** Often enough for a progress line. */
const toldEveryMs = 500

let lastToldMs = 0
const tell = (progress: RunProgress) => {
  const now = performance.now()
  if (now - lastToldMs < toldEveryMs && progress.done < progress.total) return
  lastToldMs = now
  process.send?.({ told: progress } satisfies Told<RunProgress>)
}

process.on('message', async (request: Request<RunQuestions>) => {
  process.send?.(
    await respond({ run: (ask) => run(ask, tell), teacher: (ask) => trainTeacher(ask, tell) }, request),
  )
})
// the parent is gone, or has heard all
process.on('disconnect', () => process.exit())
// Ctrl-C reaches the whole group; the parent decides when its children go.
process.on('SIGINT', () => {})
