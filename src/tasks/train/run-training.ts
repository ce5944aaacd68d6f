import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BlvitError, messageOf, throwIfAborted } from '../../errors/blvit-error.js'
import { cosineRate } from '../../training/learning-rate.js'
import type { TrainingSession } from '../../training/training-session.js'
import { writeWholeFile } from '../output-files.js'
import type { Batches } from './batches.js'
import type { DataPosition } from './picture-stream.js'
import { type TrainingIdentity, writeCheckpoint } from './training-checkpoint.js'

/** What a step tells. */
export interface StepReport {
  /** Counted from 1. */
  readonly step: number
  /** All steps of the training. */
  readonly steps: number
  /** `loss`, its parts and `gradient_norm`. */
  readonly losses: Readonly<Record<string, number>>
  readonly learningRate: number
  /** Of this run so far, without its first step. */
  readonly imagesPerSecond: number
  /** Time that the steps still to come will take. */
  readonly leftMs: number
  /** What this run has taken since its first step. */
  readonly elapsedMs: number
  /** Part of it in which the engine waited for pictures. */
  readonly waitedMs: number
  /** Why some pictures were left out before this step. */
  readonly complaints: readonly string[]
}

export interface TrainingRunOptions {
  readonly session: TrainingSession
  readonly batches: Batches
  readonly batch: number
  /** `[channels, height, width]` of a picture. */
  readonly pictureShape: readonly number[]
  /** All steps, those of earlier runs included. */
  readonly steps: number
  readonly learningRate: number
  /** Holds `checkpoint.safetensors` and `log.jsonl`. Undefined: nothing is kept. */
  readonly folder: string | undefined
  readonly checkpointEvery: number
  readonly identity: TrainingIdentity
  readonly from: DataPosition
  readonly signal?: AbortSignal | undefined
  readonly onStep?: ((report: StepReport) => void) | undefined
}

/** Where a training keeps what it needs to go on. */
export function checkpointIn(folder: string): string {
  return join(folder, 'checkpoint.safetensors')
}

const logIn = (folder: string) => join(folder, 'log.jsonl')

// Adam's second mean fills in its first steps; a short rise keeps them from leaping.
const warmUpShare = 0.05

/** Leaves in the log what was done before a checkpoint; steps after it are made again. */
async function beginLog(folder: string, steps: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  const text = await readFile(logIn(folder), 'utf8').catch(() => '')
  const kept = text.split('\n').slice(0, steps)
  await writeWholeFile(logIn(folder), steps === 0 ? '' : `${kept.join('\n')}\n`)
}

async function appendToLog(folder: string, record: unknown): Promise<void> {
  try {
    await appendFile(logIn(folder), `${JSON.stringify(record)}\n`)
  } catch (cause) {
    const message = `Can't write ${logIn(folder)}: ${messageOf(cause)}.`
    throw new BlvitError('WRITE_FAILED', message, {}, { cause })
  }
}

function notANumber(step: number, kept: number, folder: string | undefined): BlvitError {
  const last =
    kept > 0 ? `The checkpoint of step ${kept} is kept in ${folder}.` : 'No checkpoint was written yet.'
  return new BlvitError(
    'ENGINE',
    `Step ${step}: the loss is not a number any more, the training has diverged. ${last} Begin anew with a lower --lr.`,
    { step },
  )
}

/**
 * Makes the steps that a training still lacks: feeds pictures, lowers the learning rate, keeps a log and checkpoints.
 * @returns the reports of the steps that were made here
 * @throws BlvitError `ABORTED` after a checkpoint was written, `ENGINE` when the loss is not a number, `WRITE_FAILED`,
 *   `BAD_DATA`
 */
export async function runTraining(options: TrainingRunOptions): Promise<StepReport[]> {
  const { session, batches, batch, pictureShape, steps, folder, signal, onStep } = options
  const schedule = { peak: options.learningRate, steps, warmUp: Math.round(warmUpShare * steps) }
  let position = options.from
  let checkpointed = session.steps
  const checkpoint = async () => {
    if (folder === undefined || checkpointed === session.steps) return
    const { state, steps: done } = session
    await writeCheckpoint(checkpointIn(folder), { state, steps: done, position, identity: options.identity })
    checkpointed = done
  }
  if (folder !== undefined) await beginLog(folder, session.steps)
  const reports: StepReport[] = []
  // The first step is slower than all others: memory is allocated and the first pictures are awaited.
  let start: { readonly ms: number; readonly waitedMs: number } | undefined
  while (session.steps < steps) {
    if (signal?.aborted) {
      await checkpoint()
      throwIfAborted(signal)
    }
    const { pixels, after, complaints } = await batches.next()
    const learningRate = cosineRate(session.steps, schedule)
    const pictures = { dtype: 'float32', shape: [batch, ...pictureShape], values: pixels } as const
    const results = await session.run({ pixel_values: pictures }, { learningRate })
    const losses = Object.fromEntries(
      Object.entries(results).map(([name, { values }]) => [name, Number(values[0])]),
    )
    if (Object.values(losses).some((value) => !Number.isFinite(value)))
      throw notANumber(session.steps, checkpointed, folder)
    position = after
    const elapsedMs = start === undefined ? 0 : performance.now() - start.ms
    const msPerStep = elapsedMs / reports.length
    const report = {
      step: session.steps,
      steps,
      losses,
      learningRate,
      imagesPerSecond: (1000 * batch) / msPerStep,
      leftMs: (steps - session.steps) * msPerStep,
      elapsedMs,
      waitedMs: batches.waitedMs - (start?.waitedMs ?? 0),
      complaints,
    }
    start ??= { ms: performance.now(), waitedMs: batches.waitedMs }
    reports.push(report)
    if (folder !== undefined) {
      await appendToLog(folder, {
        step: report.step,
        ...losses,
        learning_rate: learningRate,
        position,
        complaints,
      })
      if (session.steps % options.checkpointEvery === 0) await checkpoint()
    }
    onStep?.(report)
  }
  await checkpoint()
  return reports
}
