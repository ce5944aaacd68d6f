import { BlvitError } from '../base/blvit-error.js'
import { type CallOptions, type DispatchedRun, Dispatcher } from '../engine/dispatcher.js'
import type { EngineParts, EngineRunOptions } from '../engine/engine.js'
import { type Asked, EngineForms, type ModelRun } from '../engine/engine-forms.js'
import {
  busyLanes,
  checkParallel,
  type LanePlan,
  type Parallel,
  picturesPerLaneRun,
} from '../engine/lane-plan.js'
import { objectsInput } from '../reduction/atf.js'
import type { PatchBits } from '../reduction/token-mask.js'
import type { LoadOptions } from '../runtime/runtime.js'
import { type ResolvedSettings, resolveSettings, settingsOver } from '../settings/resolve.js'
import { oneStage, type Settings, settingsOf } from '../settings/settings.js'
import type { StoredTensors } from '../weights/stored-tensor.js'

/** Pictures that one run of an engine with all threads takes; more only needs more memory, not less time. */
const picturesPerRun = 8

/** Pictures that may be in work or wait, if nothing else is said: some seconds of work, 150 MB of prepared pictures. */
const defaultQueue = 256

/** Calls that wait when a pool of engines is opened for them: one or two come to any server. */
const deepQueue = 4

/** Batches that are prepared while as many runs as the lanes can take are out. */
export const batchesAhead = 2

/** Runs that are worth to be given to the lanes at once: one more would only wait. */
export function runsAheadOf({ lanes }: LanePlan): number {
  return 2 * lanes
}

export interface ModelRunsOptions extends Pick<LoadOptions, 'threads' | 'precision'> {
  /** Settings whose graphs are loaded at once. */
  readonly loaded: Settings
  /** Settings of runs that say nothing else. */
  readonly usual: Settings
  readonly parallel: Parallel
  /** Pictures of calls that may be in work or wait. Default 256. */
  readonly queue: number | undefined
  /** What all settings of a run, the model's own included, decide. */
  readonly resolve: (settings: Settings) => ResolvedSettings
}

/** How prepared pictures of a model are run: by which engines, how many in one run, and how many may wait. */
export class ModelRuns {
  private readonly forms: EngineForms
  private readonly dispatcher: Dispatcher<ModelRun>
  /** Pictures of calls that have begun and not ended. */
  private inWork = 0
  private disposed = false

  /** @throws BlvitError `BAD_OPTION` for lanes where there are none */
  constructor(
    /** The model's, for messages. */
    private readonly name: string,
    private readonly parts: EngineParts,
    private readonly options: ModelRunsOptions,
  ) {
    const { threads, precision, loaded, parallel } = options
    const { lanes, description } = parts.runtime
    checkParallel(parallel, { threads, source: lanes, where: description })
    this.forms = new EngineForms(
      { ...parts, weightBytes: floatBytes(parts.weights) },
      { threads, precision, settings: loaded, parallel, onChange: () => this.dispatcher.advance() },
    )
    this.dispatcher = new Dispatcher({
      lanes: () => this.forms.lanes(),
      picturesPerRun: (run) => this.picturesPerRun(this.forms.planFor(1), run.options),
    })
  }

  /** Loads what a problem needs for so many pictures. */
  open(problem: Asked, { pictures }: { readonly pictures: number }): Promise<void> {
    this.assertUsable()
    return this.forms.open(problem, { pictures })
  }

  /** How many engines work beside each other, and with how many threads each, when so many pictures are to be run. */
  planFor(pictures: number): LanePlan {
    return this.forms.planFor(pictures)
  }

  /** Pictures that one run best takes when so many are to be run. @param options `otherwise`: where one engine has all threads */
  batchFor(pictures: number, settings: Settings, { otherwise = picturesPerRun } = {}): number {
    if (!this.isAlikeInBatches) return 1
    const plan = this.forms.planFor(pictures)
    if (plan.lanes === 1) return otherwise
    // two in one run would leave a lane without any
    const each = Math.max(1, Math.ceil(pictures / busyLanes(plan, pictures)))
    return Math.min(this.picturesPerRun(plan, settings), each)
  }

  /** In int8 the pictures of a run share their scales: an answer there depends on its neighbours. */
  private get isAlikeInBatches(): boolean {
    return this.options.precision !== 'int8'
  }

  private picturesPerRun({ threads, lanes }: LanePlan, settings: Settings): number {
    if (!this.isAlikeInBatches) return 1
    if (lanes === 1 || threads > 1) return picturesPerRun
    return picturesPerLaneRun(this.options.resolve(settings))
  }

  assertUsable(): void {
    if (this.disposed) throw this.disposedError()
  }

  private disposedError(): BlvitError {
    return new BlvitError('ENGINE', `${this.name} was disposed. Load it again to use it.`)
  }

  /** Runs the outputs that a problem asks for. @param options `objects`: patches in which all the pictures have theirs */
  run(
    problem: Asked,
    pictures: readonly Float32Array[],
    { seed = 0, objects, ...options }: EngineRunOptions & { readonly objects?: PatchBits | undefined },
    call: CallOptions & { readonly shares?: boolean } = {},
  ): Promise<DispatchedRun> {
    const settings = settingsOver(this.options.usual, oneStage(settingsOf(options)))
    const { key: setting } = resolveSettings(this.parts.architecture, settings)
    const asked = `${problem.name}, ${setting}, seed ${seed}, ${pictures[0]?.length} numbers`
    const key = objects ? `${asked}, objects ${objects.map(Number).join('')}` : asked
    const inputs = objects && { [objectsInput]: Float32Array.from(objects, Number) }
    const run = { key, problem, options: { seed, ...settings }, inputs }
    const answer = this.dispatcher.run(run, pictures, call)
    // a queue that grows is many pictures too; who waits in it sees what is wrong with its engines
    if (this.dispatcher.waitingCalls >= deepQueue)
      this.forms.open(problem, { pictures: Number.POSITIVE_INFINITY }).catch(() => {})
    return answer
  }

  /**
   * Lets a call begin that may have so many pictures in work at a time.
   * @throws BlvitError `BUSY` where too many have
   */
  async admitted<T>(pictures: number, work: () => Promise<T>): Promise<T> {
    const { queue = defaultQueue } = this.options
    // a call that is larger than the queue gets its turn when there is no other
    if (this.inWork > 0 && this.inWork + pictures > queue) {
      throw new BlvitError(
        'BUSY',
        `${this.name} has ${this.inWork} pictures in work or waiting, and its queue holds ${queue}. Try again later, or load it ` +
          'with a longer queue.',
        { inWork: this.inWork, queue },
      )
    }
    this.inWork += pictures
    try {
      return await work()
    } finally {
      this.inWork -= pictures
    }
  }

  /** Frees engines and threads; calls that wait are refused. */
  async dispose(): Promise<void> {
    this.disposed = true
    await this.dispatcher.close(this.disposedError())
    await this.forms.dispose()
  }
}

/** Of all weights, in float32. */
function floatBytes(weights: StoredTensors): number {
  let count = 0
  for (const { shape } of weights.values()) count += shape.reduce((a, b) => a * b, 1)
  return 4 * count
}
