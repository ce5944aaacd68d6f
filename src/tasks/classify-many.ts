import { BlvitError, throwIfAborted } from '../errors/blvit-error.js'
import type { Classification } from './classification.js'
import type { PictureInput } from './expand-inputs.js'
import type { ClassifyOptions, Model } from './model.js'

export interface ClassifyManyOptions extends ClassifyOptions {
  /** Pictures per run of the engine. Default 1. */
  readonly batch?: number | undefined
}

/** What came of one picture. */
export type PictureResult =
  | { readonly name: string; readonly classification: Classification }
  | { readonly name: string; readonly error: BlvitError }

/** Pictures decoded ahead of the engine, in batches: decoding runs on other threads meanwhile. */
const batchesAhead = 2

type Prepared = { readonly name: string } & (
  | { readonly pixels: Float32Array }
  | { readonly error: BlvitError }
)

/**
 * Classifies many pictures and yields their results in order, decoding the next ones while the engine works.
 * A picture that can't be read gives its error and doesn't stop the others.
 * @throws BlvitError `ABORTED`, `ENGINE`, `BAD_OPTION`
 */
export async function* classifyMany(
  model: Model,
  pictures: readonly PictureInput[],
  { batch = 1, ...options }: ClassifyManyOptions = {},
): AsyncGenerator<PictureResult> {
  const prepare = async ({ name, source }: PictureInput): Promise<Prepared> => {
    try {
      return { name, pixels: await model.prepare(source, options) }
    } catch (error) {
      if (!(error instanceof BlvitError) || error.code === 'ABORTED') throw error
      return { name, error }
    }
  }
  const batches: Promise<Prepared[]>[] = []
  const startNext = (index: number) => {
    const chosen = pictures.slice(index * batch, (index + 1) * batch)
    if (chosen.length === 0) return
    const started = Promise.all(chosen.map(prepare))
    // Awaited in its turn below; without this an abort in between would count as an unhandled rejection.
    started.catch(() => {})
    batches.push(started)
  }
  for (let index = 0; index < batchesAhead; index++) startNext(index)
  for (let index = 0; batches.length > 0; index++) {
    const prepared = await (batches.shift() as Promise<Prepared[]>)
    startNext(index + batchesAhead)
    throwIfAborted(options.signal)
    yield* classifyBatch(model, prepared, options)
  }
}

async function* classifyBatch(
  model: Model,
  prepared: readonly Prepared[],
  options: ClassifyOptions,
): AsyncGenerator<PictureResult> {
  const pixels = prepared.flatMap((picture) => ('pixels' in picture ? [picture.pixels] : []))
  const classifications = pixels.length > 0 ? await model.classifyPrepared(pixels, options) : []
  let next = 0
  for (const picture of prepared) {
    if ('error' in picture) yield picture
    else yield { name: picture.name, classification: classifications[next++] as Classification }
  }
}
