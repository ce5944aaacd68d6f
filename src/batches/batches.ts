import { Worker } from 'node:worker_threads'
import { defined } from '../base/assert.js'
import { checkWholeNumbers } from '../base/whole-number.js'
import { type Augmentation, parseAugmentation } from '../image/augment/augmentation.js'
import { Thread, threadOptions } from '../threads/thread.js'
import { checkFramedAugmentation } from './framed-picture.js'
import type { MaskPictures } from './picture-maker.js'
import type { DataPosition, PictureStreamOptions } from './picture-stream.js'
import type { PromptBatch } from './prompt-batch.js'

export interface BatchOptions extends PictureStreamOptions {
  /** Pictures a batch. */
  readonly batch: number
  /** Of a model that cuts out things: its frame, in place of the preprocessing, and what it is asked. */
  readonly masks?: MaskPictures | undefined
  /** Threads that decode and augment; the batches are the same whatever the number. Default 1. */
  readonly workers?: number | undefined
}

/** {@link BatchOptions} with all choices made. */
export interface BatchThreadOptions extends BatchOptions {
  readonly augmentation: Augmentation
  readonly workers: number
}

/** Pictures for one training step. */
export interface TrainingBatch {
  /** `[batch, 3, height, width]` */
  readonly pixels: Float32Array
  /** The classes of each picture before any were mixed; only where `labelled` asked for them. */
  readonly labels?: readonly (readonly number[])[] | undefined
  /**
   * The probabilities that the model should give, `[batch, classes]`, after label smoothing, mixup and cutmix; only
   * where `labelled` asked for them.
   */
  readonly targets?: Float32Array | undefined
  /** Only where `masks` has questions. */
  readonly prompts?: PromptBatch | undefined
  /** Where the next batch begins. */
  readonly after: DataPosition
  /** What was wrong with pictures that were left out on the way. */
  readonly complaints: readonly string[]
}

/** What the thread can be asked. */
export type BatchQuestions = { readonly next: { readonly ask: undefined; readonly answer: TrainingBatch } }

// One that is being made and one that is ready, and one more for the steps that take less time than others.
const batchesAhead = 3

// More than the largest machines have cores.
const mostWorkers = 256

/** @throws BlvitError `BAD_OPTION` */
export function checkWorkers(workers = 1): void {
  checkWholeNumbers({ workers }, { most: mostWorkers })
}

function withChoices({
  workers = 1,
  augmentation = 'crop-flip',
  ...others
}: BatchOptions): BatchThreadOptions {
  checkWorkers(workers)
  const parsed = parseAugmentation(augmentation)
  if (others.masks) checkFramedAugmentation(parsed)
  return { ...others, workers, augmentation: parsed }
}

/** Batches from a thread of their own, in an order and with crops that depend on the options alone. */
export class Batches implements AsyncDisposable {
  private readonly thread: Thread<BatchQuestions>
  private readonly waiting: Promise<TrainingBatch>[] = []
  private waitedTotalMs = 0

  /** @throws BlvitError `BAD_OPTION` */
  constructor(options: BatchOptions) {
    const workerData = withChoices(options)
    this.thread = new Thread(
      "the data's thread",
      () => new Worker(new URL('./batch-thread.js', import.meta.url), { ...threadOptions, workerData }),
    )
    for (let i = 0; i < batchesAhead; i++) this.ask()
  }

  private ask(): void {
    const batch = this.thread.ask('next', undefined)
    // awaited in its turn; without this a failure before that would count as unhandled
    batch.catch(() => {})
    this.waiting.push(batch)
  }

  /**
   * The next batch.
   * @throws BlvitError `BAD_DATA`, `NOT_FOUND`: whatever is wrong with the data as a whole
   */
  async next(): Promise<TrainingBatch> {
    const start = performance.now()
    // A turn of the event loop, in which what has come is taken in and Ctrl-C is heard.
    await new Promise((resolve) => setImmediate(resolve))
    const batch = await this.waiting.shift()
    this.waitedTotalMs += performance.now() - start
    this.ask()
    return defined(batch, 'a batch that was asked for')
  }

  /** How long the caller has waited for batches in all: 0 where the data keeps up with the engine. */
  get waitedMs(): number {
    return this.waitedTotalMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.thread.end()
  }
}
