import { aborted, type BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { FairQueue } from '../base/fair-queue.js'
import { whenAborted } from '../base/when-aborted.js'
import type { NamedTensors } from '../runtime/runtime.js'

/** What a run is asked for. Pictures go into one run only if that is the same. */
export interface RunKind {
  /** Equal for equal questions in equal settings. */
  readonly key: string
}

/** Pictures, each `[channels, height, width]`. */
export type Pictures = readonly Float32Array[]

/** One engine that does one run after the other. */
export interface Lane<Kind extends RunKind> {
  run(kind: Kind, pictures: Pictures): Promise<NamedTensors>
}

/** The lanes that there are at the moment. */
export interface Lanes<Kind extends RunKind> {
  readonly all: readonly Lane<Kind>[]
  /** The one that is fastest for a run while nothing else is to be done. */
  alone?(kind: Kind): Lane<Kind> | undefined
}

export interface DispatcherOptions<Kind extends RunKind> {
  readonly lanes: () => Lanes<Kind>
  /** Pictures of different calls that one run had better take together. */
  readonly picturesPerRun: (kind: Kind) => number
}

/** How a call wants to be served. */
export interface CallOptions {
  /** Calls that name the same object are one caller, and callers take turns. Default: each call is its own. */
  readonly caller?: object | undefined
  readonly signal?: AbortSignal | undefined
}

/** What came of a call's pictures. */
export interface DispatchedRun {
  /** Each `[pictures, …]`. */
  readonly outputs: NamedTensors
  /** The engine's time, without waiting for it; of a run of several calls, these pictures' share. */
  readonly elapsedMs: number
}

interface Call<Kind> {
  readonly caller: object
  readonly kind: Kind
  readonly pictures: Pictures
  /** Whether others' pictures may go into the same run. */
  shares: boolean
  /** Its caller has been told that it is aborted. */
  hasLeft: boolean
  resolve(run: DispatchedRun): void
  reject(error: unknown): void
}

interface LaneState {
  /** Runs that were given to it and haven't come back. */
  owed: number
  /** When the last one came back. */
  idleSince: number
}

// The next run lies with an engine while it does this one: else it would wait for the caller's event loop in between.
const runsPerLane = 2

/**
 * Gives the runs of all calls to the lanes. Callers take turns; a lane that becomes free takes what waits, and pictures
 * of several calls together where that pays.
 */
export class Dispatcher<Kind extends RunKind> {
  private readonly waiting = new FairQueue<Call<Kind>>()
  private readonly states = new Map<Lane<Kind>, LaneState>()
  private readonly running = new Set<Promise<void>>()
  private closed: BlvitError | undefined

  constructor(private readonly options: DispatcherOptions<Kind>) {}

  /** Calls that no lane has taken yet. */
  get waitingCalls(): number {
    return this.waiting.size
  }

  /**
   * Runs some pictures.
   * @param options `shares`: other calls' pictures may go into the same run, which moves results by some 1e-6
   * @throws BlvitError `ABORTED` at once, whether the run has begun or not; what the lane threw; what {@link close} was given
   */
  async run(
    kind: Kind,
    pictures: Pictures,
    { caller = {}, signal, shares = false }: CallOptions & { readonly shares?: boolean } = {},
  ): Promise<DispatchedRun> {
    if (this.closed) throw this.closed
    throwIfAborted(signal)
    let forget = () => {}
    try {
      return await new Promise<DispatchedRun>((resolve, reject) => {
        const call: Call<Kind> = { caller, kind, pictures, shares, hasLeft: false, resolve, reject }
        forget = whenAborted(signal, () => {
          call.hasLeft = true
          this.waiting.remove(call)
          reject(aborted())
        })
        this.waiting.add(call)
        this.advance()
      })
    } finally {
      forget()
    }
  }

  /** Gives lanes what they can take; to be called when there are other lanes than before. */
  advance(): void {
    while (this.waiting.size > 0) {
      const { all, alone } = this.options.lanes()
      if (alone && this.running.size === 0 && this.waiting.size === 1) {
        const calls = this.nextCalls(false)
        const lane = calls?.[0] && (alone(calls[0].kind) ?? all[0])
        if (calls && lane) void this.start(lane, calls)
        continue
      }
      const lane = this.freeLane(all)
      const calls = lane && this.nextCalls(this.stateOf(lane).owed > 0)
      if (!lane || !calls) return
      void this.start(lane, calls)
    }
  }

  private stateOf(lane: Lane<Kind>): LaneState {
    const known = this.states.get(lane)
    if (known) return known
    const state = { owed: 0, idleSince: 0 }
    this.states.set(lane, state)
    return state
  }

  private freeLane([first, ...others]: readonly Lane<Kind>[]): Lane<Kind> | undefined {
    if (!first) return undefined
    const owed = (lane: Lane<Kind>) => this.stateOf(lane).owed
    const least = others.reduce((best, lane) => (owed(lane) < owed(best) ? lane : best), first)
    return owed(least) < runsPerLane ? least : undefined
  }

  /** The calls of the next run. @param isBusy the lane would only put it in store: others may still join what isn't full */
  private nextCalls(isBusy: boolean): Call<Kind>[] | undefined {
    if (isBusy && !this.waiting.some((call) => !call.shares) && !this.hasFullRun()) return undefined
    const first = this.waiting.take()
    if (!first) return undefined
    const calls = [first]
    let left = this.options.picturesPerRun(first.kind) - first.pictures.length
    const fits = ({ shares, kind, pictures }: Call<Kind>) =>
      shares && kind.key === first.kind.key && pictures.length <= left
    while (first.shares && left > 0) {
      const next = this.waiting.take(fits)
      if (!next) break
      calls.push(next)
      left -= next.pictures.length
    }
    return calls
  }

  private hasFullRun(): boolean {
    const counts = new Map<string, number>()
    return this.waiting.some(({ kind, pictures }) => {
      const count = (counts.get(kind.key) ?? 0) + pictures.length
      counts.set(kind.key, count)
      return count >= this.options.picturesPerRun(kind)
    })
  }

  private async start(lane: Lane<Kind>, calls: readonly Call<Kind>[]): Promise<void> {
    const [{ kind } = { kind: undefined }] = calls
    if (!kind) return
    const state = this.stateOf(lane)
    state.owed += 1
    const given = performance.now()
    const run = lane.run(
      kind,
      calls.flatMap(({ pictures }) => pictures),
    )
    const done = run.then(
      () => {},
      () => {},
    )
    this.running.add(done)
    try {
      const outputs = await run
      const elapsedMs = performance.now() - Math.max(given, state.idleSince)
      handOut(outputs, elapsedMs, calls)
    } catch (thrown) {
      this.fail(calls, thrown)
    } finally {
      this.running.delete(done)
      state.owed -= 1
      state.idleSince = performance.now()
      this.advance()
    }
  }

  /** What fails together is tried again one by one: only whose picture it was should hear of it. */
  private fail(calls: readonly Call<Kind>[], thrown: unknown): void {
    if (calls.length === 1 || this.closed) {
      for (const { reject } of calls) reject(this.closed ?? thrown)
      return
    }
    for (const call of calls) {
      if (call.hasLeft) continue
      call.shares = false
      this.waiting.add(call)
    }
  }

  /** Refuses all that waits and all that comes. Resolves when no run is left. */
  async close(reason: BlvitError): Promise<void> {
    this.closed ??= reason
    for (const { reject } of this.waiting.clear()) reject(this.closed)
    await Promise.all(this.running)
  }
}

/** Gives each call its rows of a run. */
function handOut<Kind>(outputs: NamedTensors, elapsedMs: number, calls: readonly Call<Kind>[]): void {
  const total = calls.reduce((sum, { pictures }) => sum + pictures.length, 0)
  let row = 0
  for (const { pictures, resolve } of calls) {
    const share = { outputs, elapsedMs: (elapsedMs * pictures.length) / total }
    resolve(calls.length === 1 ? share : { ...share, outputs: rowsOf(outputs, row, pictures.length) })
    row += pictures.length
  }
}

function rowsOf(outputs: NamedTensors, first: number, count: number): NamedTensors {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { dtype, shape, values }]) => {
      const [, ...rest] = shape
      const size = rest.reduce((a, b) => a * b, 1)
      const own = values.slice(first * size, (first + count) * size)
      return [name, { dtype, shape: [count, ...rest], values: own } as NamedTensors[string]]
    }),
  )
}
