import { BlvitError } from '../base/blvit-error.js'
import { seededRandom } from '../base/random.js'
import { stepsOf } from '../recipes/recipe.js'
import type { NamedTensors } from '../runtime/runtime.js'
import type { ResolvedSettings } from '../settings/resolve.js'
import { learningRateAt } from '../training/learning-rate.js'
import type { StageSession } from './stage-session.js'
import type { PlannedStage } from './stage-step.js'
import type { StageBatch } from './step-feed.js'

/** What a step learned from, and how it went. */
export interface MadeStep<Batch extends StageBatch> {
  /** Of the stage, counted from 1. */
  readonly step: number
  readonly batches: readonly Batch[]
  /** `loss`, its parts and `gradient_norm`. */
  readonly losses: Readonly<Record<string, number>>
  readonly learningRate: number
  /** What the student ran at; undefined where it doesn't run as it will later. */
  readonly settings: ResolvedSettings | undefined
}

export interface MakeStepOptions<Batch extends StageBatch> {
  readonly session: StageSession
  /** Gives the next batch. */
  readonly next: () => Promise<Batch>
  readonly seed: number
  /** In place of what the stage has for this step. */
  readonly settings?: ResolvedSettings | undefined
}

function assertFinite(losses: Readonly<Record<string, number>>, about: string, step: number): void {
  if (Object.values(losses).every((value) => Number.isFinite(value))) return
  throw new BlvitError(
    'ENGINE',
    `${about}, step ${step}: the loss is not a number any more, the training has diverged. ` +
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

/**
 * Makes the next step of a stage: takes as many batches as it needs, at the learning rate and the settings of its place.
 * All that is random follows from the seed, the stage and the step.
 * @throws BlvitError `ENGINE`, when the loss is not a number too; what `next` throws
 */
export async function makeStep<Batch extends StageBatch>(
  { stage, number, settings: planned }: PlannedStage,
  { session, next, seed, settings }: MakeStepOptions<Batch>,
): Promise<MadeStep<Batch>> {
  const steps = stepsOf(stage)
  const step = session.steps
  const draw = seededRandom(seed, 'step', number, step)()
  const now = settings ?? planned?.at({ step, steps, draw })
  await session.moveTo(now)
  const warmUp = Math.round(stage.warmUp * steps)
  const learningRate = learningRateAt(step, {
    ...{ shape: stage.schedule, peak: stage.learningRate, steps, warmUp },
  })
  const batches: Batch[] = []
  const told: NamedTensors[] = []
  while (session.steps === step) {
    const batch = await next()
    const place = batches.length
    const noise = (name: string) => seededRandom(seed, 'noise', number, step, place, name)
    batches.push(batch)
    told.push(await session.run(batch, { sizes: now?.sizes ?? {}, noise }, { learningRate }))
  }
  const losses = meansOf(told)
  assertFinite(losses, stage.objective, session.steps)
  return { step: session.steps, batches, losses, learningRate, settings: now }
}
