import { aborted, throwIfAborted } from './blvit-error.js'
import { whenAborted } from './when-aborted.js'

/** Lets so many in at once; the others wait in the order in which they came. */
export class Slots {
  private readonly waiting = new Set<() => void>()

  constructor(private free: number) {}

  /**
   * Waits for a slot.
   * @returns what frees it, to be called once
   * @throws BlvitError `ABORTED`; it doesn't wait any longer then
   */
  async enter(signal?: AbortSignal): Promise<() => void> {
    throwIfAborted(signal)
    if (this.free > 0) this.free -= 1
    else await this.turn(signal)
    return () => this.leave()
  }

  /** Does something in a slot of its own, once there is one. */
  async within<Result>(work: () => Promise<Result>): Promise<Result> {
    const leave = await this.enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }

  private turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        forget()
        resolve()
      }
      const forget = whenAborted(signal, () => {
        this.waiting.delete(enter)
        reject(aborted())
      })
      this.waiting.add(enter)
    })
  }

  private leave(): void {
    const [next] = this.waiting
    if (!next) {
      this.free += 1
      return
    }
    this.waiting.delete(next)
    next()
  }
}
