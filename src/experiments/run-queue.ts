import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { whenAborted } from '../base/when-aborted.js'
import { AnsweringProcess } from '../threads/answering-process.js'
import type { RunProgress, RunQuestions } from './run.js'

/** Something that a process of its own is to be asked. */
export interface QueuedRun<Q extends keyof RunQuestions> {
  readonly question: Q
  readonly ask: RunQuestions[Q]['ask']
  readonly onProgress: (progress: RunProgress) => void
  readonly onDone: (answer: RunQuestions[Q]['answer']) => Promise<void>
  /** The others go on. */
  readonly onFailure: (error: BlvitError) => void
}

async function runOne<Q extends keyof RunQuestions>(
  { question, ask, onProgress, onDone, onFailure }: QueuedRun<Q>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await using process = new AnsweringProcess<RunQuestions, RunProgress>(
      new URL('./run-process.js', import.meta.url),
      { signal, onTold: onProgress },
    )
    await onDone(await process.ask(question, ask))
  } catch (thrown) {
    if (!(thrown instanceof BlvitError) || thrown.code === 'ABORTED') throw thrown
    onFailure(thrown)
  }
}

/**
 * Does runs in their order, so many beside each other, each in a process of its own. What is thrown ends them all.
 * @throws BlvitError `ABORTED`, and what `onDone` throws
 */
export async function runAll<Q extends keyof RunQuestions>(
  runs: readonly QueuedRun<Q>[],
  { parallel, signal }: { readonly parallel: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  throwIfAborted(signal)
  const waiting = [...runs]
  // of our own: a run may have hours to go for which nobody waits any more
  const ending = new AbortController()
  const forget = whenAborted(signal, () => ending.abort())
  let failure: { readonly thrown: unknown } | undefined
  const lane = async () => {
    try {
      for (let next = waiting.shift(); next && !ending.signal.aborted; next = waiting.shift())
        await runOne(next, ending.signal)
    } catch (thrown) {
      failure ??= { thrown }
      ending.abort()
    }
  }
  await Promise.all(Array.from({ length: parallel }, lane)).finally(forget)
  throwIfAborted(signal)
  if (failure) throw failure.thrown
}
