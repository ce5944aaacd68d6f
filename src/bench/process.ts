import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { aborted, BlvitError, messageOf } from '../base/blvit-error.js'
import { Asker, type Response } from '../base/conversation.js'
import type { Questions } from './messages.js'

const childFile = new URL('./child.js', import.meta.url)

/** A process that measures one workload; it answers one question after the other. */
export class BenchProcess implements AsyncDisposable {
  private readonly child: ChildProcess
  private readonly asker = new Asker<Questions>((request) => this.child.send(request))
  private readonly ended: Promise<void>
  private stderr = ''

  constructor(
    private readonly name: string,
    signal?: AbortSignal,
  ) {
    this.child = fork(fileURLToPath(childFile), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
      serialization: 'advanced',
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-2000)
    })
    this.child.on('message', (response: Response) => this.asker.receive(response))
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, killedBy) => {
        this.asker.fail(this.died(`${killedBy ?? `exit code ${code}`}`, signal))
        resolve()
      })
      // no process to start, or none to talk to; of one that never was there is no exit
      this.child.on('error', (cause) => {
        this.asker.fail(
          new BlvitError('ENGINE', `its process can't be used: ${cause.message}.`, {}, { cause }),
        )
        if (this.child.pid === undefined) resolve()
      })
    })
    const stop = () => this.child.kill('SIGKILL')
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop, { once: true })
    void this.ended.then(() => signal?.removeEventListener('abort', stop))
  }

  private died(how: string, signal: AbortSignal | undefined): BlvitError {
    if (signal?.aborted) return aborted()
    return new BlvitError('ENGINE', `its process has ended (${how}). ${this.stderr.trim()}`)
  }

  /** @throws BlvitError what the question's work threw, `ENGINE` if the process died over it, `ABORTED` */
  async ask<Q extends keyof Questions>(
    question: Q,
    ask: Questions[Q]['ask'],
  ): Promise<Questions[Q]['answer']> {
    try {
      return await this.asker.ask(question, ask)
    } catch (thrown) {
      if (thrown instanceof BlvitError && thrown.code === 'ABORTED') throw thrown
      const code = thrown instanceof BlvitError ? thrown.code : 'ENGINE'
      throw new BlvitError(code, `Measuring ${this.name}: ${messageOf(thrown)}`, {}, { cause: thrown })
    }
  }

  async dispose(): Promise<void> {
    if (this.child.connected) this.child.disconnect()
    await this.ended
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
