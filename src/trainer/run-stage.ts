import { throwIfAborted } from '../base/blvit-error.js'
import type { Batches } from '../batches/batches.js'
import type { DataPosition } from '../batches/picture-stream.js'
import { usualPoints } from '../batches/prompt-batch.js'
import { graphWork } from '../graph/graph.js'
import { stepsOf } from '../recipes/recipe.js'
import type { ResolvedSettings } from '../settings/resolve.js'
import { makeStep } from '../stages/make-step.js'
import type { StageSession } from '../stages/stage-session.js'
import { type PictureStage, promptFeeds } from './picture-stage.js'
import type { StepReport } from './step-report.js'

export interface StageRunOptions extends PictureStage {
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

/** The multiply-adds of a batch at some settings, each counted once. */
function workOf({ stepFor, stage, masks }: Pick<PictureStage, 'stepFor' | 'stage' | 'masks'>) {
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
    const first = trial !== undefined && session.steps === 0 ? most : undefined
    const start = performance.now()
    const next = async () => {
      const batch = await batches.next()
      return { ...batch, ...(batch.prompts && promptFeeds(batch.prompts)) }
    }
    const made = await makeStep(options, { session, next, seed, settings: first })
    clock.add(performance.now() - start, stage.accumulate * workAt(made.settings))
    const { losses, learningRate, batches: taken } = made
    const place = { objective: stage.objective, stage: number, stages: options.stages, steps }
    position = taken.at(-1)?.after ?? position
    const { elapsedMs, msPerStep, waitedMs, gflops } = clock.read()
    last = {
      ...place,
      step: session.steps,
      losses,
      learningRate,
      setting: made.settings?.key,
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
