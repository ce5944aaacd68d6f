import { BlvitError } from '../base/blvit-error.js'
import type { Problem } from '../problems/problem.js'
import type { LoadOptions, NamedTensors, Runtime } from '../runtime/runtime.js'
import type { Settings } from '../settings/settings.js'
import type { Lane, Lanes, Pictures, RunKind } from './dispatcher.js'
import { Engine, type EngineParts, type EngineRunOptions } from './engine.js'
import type { Feeds } from './feeds.js'
import { busyLanes, type LanePlan, manyPictures, type Parallel, planLanes } from './lane-plan.js'
import { pixelFeeds } from './rows.js'

/** What of a model is to be run. */
export type Asked = Pick<Problem<unknown>, 'name' | 'outputs'>

/** A question in a setting. */
export interface ModelRun extends RunKind {
  readonly problem: Asked
  readonly options: EngineRunOptions
  /** What is fed beside the pictures, which share it, by the names of the graph's inputs. */
  readonly inputs?: Feeds['inputs'] | undefined
}

export interface EngineFormsOptions extends Pick<LoadOptions, 'threads' | 'precision'> {
  /** Settings whose graphs are loaded at once. */
  readonly settings?: Settings | undefined
  readonly parallel: Parallel
  /** Told when runs can be given to other lanes than before. */
  readonly onChange: () => void
}

type EngineByProblem = Map<string, Promise<Engine>>

/** Lanes that are open, or about to be. */
interface Pool {
  readonly plan: LanePlan
  readonly runtime: Promise<Runtime>
  readonly engines: EngineByProblem
  readonly lanes: readonly Lane<ModelRun>[]
  isOpen: boolean
}

/**
 * A model in the two forms in which it can run: one engine with all threads, fastest for one picture, and a pool of
 * engines with one thread each, fastest for many. Each is loaded when it is needed.
 */
export class EngineForms implements AsyncDisposable {
  private readonly whole: EngineByProblem = new Map()
  private readonly wholeLane: Lane<ModelRun> = {
    run: async (run, pictures) => runOn(await this.wholeFor(run.problem), pictures, run),
  }
  private pool: Pool | undefined
  /** There was not enough memory for it, or something else was wrong. */
  private poolFailed = false
  private disposed = false

  constructor(
    private readonly parts: EngineParts & { readonly weightBytes: number },
    private readonly options: EngineFormsOptions,
  ) {}

  /** How the processors are used for so many pictures. */
  planFor(pictures: number): LanePlan {
    const { parallel, threads } = this.options
    const { runtime, weightBytes } = this.parts
    if (this.pool) return this.pool.plan
    const whole = { lanes: 1, threads: threads ?? runtime.lanes?.processors ?? 1 }
    if (!runtime.lanes || parallel === 1 || this.poolFailed) return whole
    if (parallel === 'auto' && pictures < manyPictures(weightBytes)) return whole
    return planLanes(runtime.lanes, { threads, parallel, weightBytes })
  }

  /** Loads what a problem needs for so many pictures. @throws BlvitError as `Engine.load` */
  async open(problem: Asked, { pictures }: { readonly pictures: number }): Promise<void> {
    const plan = this.planFor(pictures)
    // beside a pool that is open for another problem, a few pictures don't need as many copies of the weights once more
    const isPooled = this.pool !== undefined && this.isPooled(this.pool, problem.name)
    const pays = this.options.parallel !== 'auto' || pictures >= manyPictures(this.parts.weightBytes)
    if (plan.lanes > 1 && (isPooled || pays)) await this.openPool(plan, problem, pictures)
    else await this.wholeFor(problem)
  }

  /** For the dispatcher. */
  lanes(): Lanes<ModelRun> {
    const { pool } = this
    // while it opens, what is there goes on
    if (!pool || (!pool.isOpen && this.whole.size > 0)) return { all: [this.wholeLane] }
    const alone = ({ problem: { name } }: ModelRun) =>
      this.whole.has(name) || !this.isPooled(pool, name) ? this.wholeLane : undefined
    return { all: pool.lanes, alone }
  }

  /** Whether a problem is the pool's: those that it was opened for, and all where it was asked for by number. */
  private isPooled({ engines }: Pool, name: string): boolean {
    return this.options.parallel !== 'auto' || engines.has(name)
  }

  private wholeFor(problem: Asked): Promise<Engine> {
    const { runtime } = this.parts
    return this.engineIn(this.whole, problem, async () => ({ runtime, threads: this.options.threads }))
  }

  private async openPool(plan: LanePlan, problem: Asked, pictures: number): Promise<void> {
    const pool = this.pool ?? this.startPool(plan, { atOnce: busyLanes(plan, pictures) })
    try {
      await this.pooledFor(pool, problem)
      pool.isOpen = true
    } catch (thrown) {
      if (this.options.parallel !== 'auto') throw thrown
      await this.giveUp(pool)
      await this.wholeFor(problem)
    }
    this.options.onChange()
  }

  private startPool(plan: LanePlan, options: { readonly atOnce: number }): Pool {
    const source = this.parts.runtime.lanes
    if (!source) throw new Error('blvit bug: no lanes here')
    const runtime = source.open(plan.lanes, options)
    runtime.catch(() => {})
    const lane = (index: number): Lane<ModelRun> => ({
      run: async (run, pictures) => runOn(await this.laneEngine(pool, run.problem), pictures, run, index),
    })
    const lanes = Array.from({ length: plan.lanes }, (_, index) => lane(index))
    const pool: Pool = { plan, runtime, engines: new Map(), lanes, isOpen: false }
    this.pool = pool
    return pool
  }

  /** The pool's engine for a problem, or the whole one where the pool isn't open for it. */
  private async laneEngine(pool: Pool, problem: Asked): Promise<Engine> {
    if (this.options.parallel !== 'auto') return this.pooledFor(pool, problem)
    if (this.poolFailed || !this.isPooled(pool, problem.name)) return this.wholeFor(problem)
    try {
      return await this.pooledFor(pool, problem)
    } catch {
      return this.wholeFor(problem)
    }
  }

  private pooledFor({ runtime, plan, engines }: Pool, problem: Asked): Promise<Engine> {
    return this.engineIn(engines, problem, async () => ({ runtime: await runtime, threads: plan.threads }))
  }

  private engineIn(
    engines: EngineByProblem,
    { name, outputs }: Asked,
    where: () => Promise<{ runtime: Runtime; threads: number | undefined }>,
  ): Promise<Engine> {
    // nobody would free it
    if (this.disposed) return Promise.reject(new BlvitError('ENGINE', 'The model was disposed.'))
    const known = engines.get(name)
    if (known) return known
    const { architecture, weights } = this.parts
    const { precision, settings } = this.options
    const engine = where().then(({ runtime, threads }) =>
      Engine.load({ architecture, weights, runtime }, outputs, {
        ...{ threads, precision },
        ...(settings && { settings }),
      }),
    )
    engines.set(name, engine)
    // what failed once may go well the next time: memory is free again, a file is back
    engine.catch(() => engines.delete(name))
    return engine
  }

  /** Many pictures can go through one engine too, only slower. */
  private async giveUp(pool: Pool): Promise<void> {
    this.poolFailed = true
    this.pool = undefined
    await closePool(pool)
  }

  /** Frees memory and threads. To be called when no run is left. */
  async dispose(): Promise<void> {
    const { pool } = this
    this.pool = undefined
    this.disposed = true
    try {
      await disposeAll(this.whole)
    } finally {
      if (pool) await closePool(pool)
      await this.parts.runtime.rest()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

async function runOn(
  engine: Engine,
  pictures: Pictures,
  { options, inputs }: ModelRun,
  lane?: number,
): Promise<NamedTensors> {
  const feeds = pixelFeeds(pictures)
  const all = inputs ? { ...feeds, inputs: { ...feeds.inputs, ...inputs } } : feeds
  const { outputs } = await engine.run(all, options, { lane })
  return outputs
}

async function disposeAll(engines: EngineByProblem): Promise<void> {
  const loaded = await Promise.allSettled(engines.values())
  engines.clear()
  // one that failed to load has told whoever asked for it, and holds nothing
  for (const engine of loaded) if (engine.status === 'fulfilled') await engine.value.dispose()
}

async function closePool({ engines, runtime }: Pool): Promise<void> {
  try {
    await disposeAll(engines)
  } finally {
    // one that could not start has left nothing
    const started = await runtime.catch(() => undefined)
    await started?.rest()
  }
}
