import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlvitError, messageOf } from '../base/blvit-error.js'
import { AnsweringProcess } from '../threads/answering-process.js'
import type { Questions } from './messages.js'

/** A process that measures one workload; it answers one question after the other. */
export class BenchProcess implements AsyncDisposable {
  private readonly process: AnsweringProcess<Questions>

  constructor(
    private readonly name: string,
    signal?: AbortSignal,
  ) {
    this.process = new AnsweringProcess<Questions>(new URL('./child.js', import.meta.url), { signal })
  }

  /** @throws BlvitError what the question's work threw, `ENGINE` if the process died over it, `ABORTED` */
  async ask<Q extends keyof Questions>(
    question: Q,
    ask: Questions[Q]['ask'],
  ): Promise<Questions[Q]['answer']> {
    try {
      return await this.process.ask(question, ask)
    } catch (thrown) {
      if (thrown instanceof BlvitError && thrown.code === 'ABORTED') throw thrown
      const code = thrown instanceof BlvitError ? thrown.code : 'ENGINE'
      throw new BlvitError(code, `Measuring ${this.name}: ${messageOf(thrown)}`, {}, { cause: thrown })
    }
  }

  dispose(): Promise<void> {
    return this.process.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

/**
 * A new, empty folder that goes with the end of its `await using` block. The parent makes those of its processes:
 * Ctrl-C kills them before they could tidy up.
 */
export async function temporaryFolder(prefix: string): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
