import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { BlvitError, type ErrorCode } from '../../errors/blvit-error.js'
import type { Question, Questions, Request, Response } from './messages.js'

// By way of the package's root, so that tests of the sources find the built file too: Node runs no TypeScript.
const childFile = new URL('../../../dist/tasks/bench/child.js', import.meta.url)

/** A process that measures one workload; it answers one question after the other. */
export class BenchProcess implements AsyncDisposable {
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, (response: Response) => void>()
  private readonly ended: Promise<void>
  private asked = 0
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
    this.child.on('message', (response: Response) => {
      this.waiting.get(response.number)?.(response)
      this.waiting.delete(response.number)
    })
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, killedBy) => {
        this.failAll(`its process ended (${killedBy ?? `exit code ${code}`}). ${this.stderr.trim()}`)
        resolve()
      })
    })
    const stop = () => this.child.kill('SIGKILL')
    signal?.addEventListener('abort', stop, { once: true })
    void this.ended.then(() => signal?.removeEventListener('abort', stop))
  }

  private failAll(message: string): void {
    for (const [number, settle] of this.waiting) settle({ number, error: { code: 'ENGINE', message } })
    this.waiting.clear()
  }

  /** @throws BlvitError what the question's work threw, or `ENGINE` if the process died over it */
  async ask<Q extends Question>(question: Q, ask: Questions[Q]['ask']): Promise<Questions[Q]['answer']> {
    const request: Request<Q> = { number: this.asked++, question, ask }
    const response = await new Promise<Response>((resolve) => {
      this.waiting.set(request.number, resolve)
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        this.failAll('its process has ended.')
      else this.child.send(request)
    })
    if ('answer' in response) return response.answer as Questions[Q]['answer']
    const { code, message } = response.error
    throw new BlvitError(code as ErrorCode, `Measuring ${this.name}: ${message}`)
  }

  async dispose(): Promise<void> {
    if (this.child.connected) this.child.disconnect()
    await this.ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}
