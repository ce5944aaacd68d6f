import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { aborted, BlvitError } from '../base/blvit-error.js'
import { Asker, type Protocol, type Response } from '../base/conversation.js'
import { whenAborted } from '../base/when-aborted.js'

/** What a process says without being asked, such as how far it has come. */
export interface Told<News> {
  readonly told: News
}

export interface AnsweringProcessOptions<News> {
  /** Kills the process when it fires. */
  readonly signal?: AbortSignal | undefined
  readonly onTold?: ((told: News) => void) | undefined
}

// Of what a process complained about before it died; the end says why.
const longestComplaint = 2000

/** A process of its own that answers one question after the other. `News`: what it says without being asked */
export class AnsweringProcess<P extends Protocol<P>, News = never> implements AsyncDisposable {
  private readonly child: ChildProcess
  private readonly asker = new Asker<P>((request) => this.child.send(request))
  private readonly ended: Promise<void>
  private stderr = ''

  /**
   * @param file the program, by `new URL(…, import.meta.url)` with its file's name written out: our build looks for just that
   */
  constructor(file: URL, { signal, onTold }: AnsweringProcessOptions<News> = {}) {
    this.child = fork(fileURLToPath(file), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
      serialization: 'advanced',
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-longestComplaint)
    })
    this.child.on('message', (message: Response | Told<News>) => {
      if ('told' in message) onTold?.(message.told)
      else this.asker.receive(message)
    })
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
    void this.ended.then(whenAborted(signal, stop))
  }

  private died(how: string, signal: AbortSignal | undefined): BlvitError {
    if (signal?.aborted) return aborted()
    return new BlvitError('ENGINE', `its process has ended (${how}). ${this.stderr.trim()}`)
  }

  /** @throws BlvitError what the question's work threw, `ENGINE` if the process died over it, `ABORTED` */
  ask<Q extends keyof P>(question: Q, ask: P[Q]['ask']): Promise<P[Q]['answer']> {
    return this.asker.ask(question, ask)
  }

  async dispose(): Promise<void> {
    if (this.child.connected) this.child.disconnect()
    await this.ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}
