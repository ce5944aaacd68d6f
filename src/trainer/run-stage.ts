import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { seededRandom } from '../base/random.js'
import type { Batches, TrainingBatch } from '../batches/batches.js'
import type { DataPosition } from '../batches/picture-stream.js'
import { usualPoints } from '../batches/prompt-batch.js'
import { graphWork } from '../graph/graph.js'
import { stepsOf } from '../recipes/recipe.js'
import type { NamedTensors } from '../runtime/runtime.js'
import type { ResolvedSettings } from '../settings/resolve.js'
import { learningRateAt } from '../training/learning-rate.js'
import type { StageSession } from './stage-session.js'
import type { PlannedStage } from './stage-step.js'
import type { StagePlace, StepReport } from './step-report.js'

export interface StageRunOptions extends PlannedStage {
  /** Of the recipe. */
  readonly stages: number
  readonly session: StageSession
  /** 10⁹ operations a second of matrix products alone on this machine; undefined: unknown. */
  readonly gemmRate: number | undefined
  readonly batches: Batches
  readonly from: DataPosition
  readonly seed: number
  /** Fewer than the stage has: to measure how long they take. The first then is the most expensive one. */
  readonly trial?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Whether the stage may end before its last step. */
  readonly isEnough: () => boolean
  /** After each step. What it does takes no part in the speed that is reported. */
  readonly afterStep: (report: StepReport, position: DataPosition) => Promise<void>
  /** Before the stage ends early, because the signal has fired. */
  readonly beforeAbort: (position: DataPosition) => Promise<void>
}

function assertFinite(losses: Readonly<Record<string, number>>, { objective, step }: StagePlace): void {
  if (Object.values(losses).every((value) => Number.isFinite(value))) return
  throw new BlvitError(
    'ENGINE',
    `${objective}, step ${step}: the loss is not a number any more, the training has diverged. ` +
      'Begin anew with lower learning rates (--lr-scale 0.3); the checkpoints of earlier steps are kept.',
    { step },
  )
}

/** The mean of each number over the batches of a step; the gradients' norm is told by the last alone. */
function meansOf(told: readonly NamedTensors[]): Record<string, number> {
  const names = Object.keys(told.at(-1) ?? {})
  return Object.fromEntries(
    names.map((name) => {
      const values = told.flatMap((results) => (results[name] ? [Number(results[name].values[0])] : []))
      return [name, values.reduce((a, b) => a + b, 0) / values.length]
    }),
  )
}

/** The multiply-adds of a batch at some settings, each counted once. */
function workOf({ stepFor, stage, masks }: Pick<PlannedStage, 'stepFor' | 'stage' | 'masks'>) {
  const asked = masks?.questions ? { points: usualPoints } : {}
  const known = new Map<string, number>()
  return (settings: ResolvedSettings | undefined): number => {
    const { key, sizes } = settings ?? { key: '', sizes: {} }
    const work =
      known.get(key) ?? graphWork(stepFor(settings).graph, { batch: stage.batch, ...asked, ...sizes })
    known.set(key, work)
    return work
  }
}

/** Adds up what steps take, without the first: memory is allocated then and the first pictures are awaited. */
function stepClock(batches: Batches) {
  let counted = -1
  let totalMs = 0
  let totalWork = 0
  let waitedBefore = 0
  return {
    /** @param work multiply-adds of the step */
    add: (ms: number, work: number) => {
      counted += 1
      if (counted === 0) waitedBefore = batches.waitedMs
      else {
        totalMs += ms
        totalWork += work
      }
    },
    read: () => ({
      elapsedMs: totalMs,
      gflops: (2 * totalWork) / (1e6 * totalMs),
      msPerStep: totalMs / counted,
      waitedMs: batches.waitedMs - waitedBefore,
    }),
  }
}

/**
 * Makes the steps that a stage still lacks: feeds pictures, lowers the learning rate, tells how each step went.
 * @returns the last report; undefined if no step was lacking
 * @throws BlvitError `ABORTED`, `ENGINE` when the loss is not a number, `BAD_DATA`, and what `afterStep` throws
 */
export async function runStage(options: StageRunOptions): Promise<StepReport | undefined> {
  const { stage, number, settings, session, batches, seed, signal, trial } = options
  const steps = stepsOf(stage)
  const warmUp = Math.round(stage.warmUp * steps)
  const schedule = { shape: stage.schedule, peak: stage.learningRate, steps, warmUp }
  const clock = stepClock(batches)
  const workAt = workOf(options)
  const most = settings?.ends.toSorted((a, b) => workAt(b) - workAt(a))[0]
  let position = options.from
  let last: StepReport | undefined
  while (session.steps < Math.min(steps, trial ?? steps) && !options.isEnough()) {
    if (signal?.aborted) {
      await options.beforeAbort(position)
      throwIfAborted(signal)
    }
    const step = session.steps
    const draw = seededRandom(seed, 'step', number, step)()
    const now = trial !== undefined && step === 0 ? most : settings?.at({ step, steps, draw })
    await session.moveTo(now)
    const start = performance.now()
    const learningRate = learningRateAt(step, schedule)
    const taken: TrainingBatch[] = []
    const told: NamedTensors[] = []
    while (session.steps === step) {
      const batch = await batches.next()
      const place = taken.length
      const noise = (name: string) => seededRandom(seed, 'noise', number, step, place, name)
      taken.push(batch)
      told.push(await session.run(batch, { sizes: now?.sizes ?? {}, noise }, { learningRate }))
    }
    clock.add(performance.now() - start, stage.accumulate * workAt(now))
    const losses = meansOf(told)
    const place = { objective: stage.objective, stage: number, stages: options.stages, steps }
    assertFinite(losses, { ...place, step: session.steps })
    position = taken.at(-1)?.after ?? position
    const { elapsedMs, msPerStep, waitedMs, gflops } = clock.read()
    last = {
      ...place,
      step: session.steps,
      losses,
      learningRate,
      setting: now?.key,
      imagesPerSecond: (1000 * stage.batch * stage.accumulate) / msPerStep,
      ...(options.gemmRate === undefined ? {} : { shareOfGemmRate: gflops / options.gemmRate }),
      msPerStep,
      leftMs: (steps - session.steps) * msPerStep,
      elapsedMs,
      waitedMs,
      complaints: taken.flatMap(({ complaints }) => complaints),
    }
    await options.afterStep(last, position)
  }
  return last
}
