import { checkBatch, preparedBatches } from '../../base/ahead.js'
import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import type { ImageInput } from '../../image/image-input.js'
import type { Problem } from '../../problems/problem.js'
import type { Answered, Model, RunOptions } from '../model.js'

export interface ManyOptions {
  /** Pictures per run of the engine. Default 1. */
  readonly batch?: number | undefined
}

/** What came of one picture. */
export type PictureAnswer<Answer> = { readonly name: string } & (
  | Answered<Answer>
  | { readonly error: BlvitError }
)

/** A picture with a name for people. */
export interface NamedPicture {
  readonly name: string
  readonly source: ImageInput
}

type Prepared = { readonly name: string } & (
  | { readonly pixels: Float32Array }
  | { readonly error: BlvitError }
)

/**
 * Answers a problem for many pictures, batch by batch and in order, decoding the next ones while the engine works.
 * A picture that can't be read gives its error and doesn't stop the others.
 * @throws BlvitError `ABORTED`, `ENGINE`, `BAD_OPTION`, `UNSUPPORTED`
 */
export async function* answerBatches<Answer, Options extends object>(
  model: Model,
  problem: Problem<Answer, Options>,
  pictures: Iterable<NamedPicture> | AsyncIterable<NamedPicture>,
  { batch = 1, ...options }: ManyOptions & RunOptions & Options,
): AsyncGenerator<readonly PictureAnswer<Answer>[]> {
  // what is left of the options is the problem's and the run's: TypeScript can't tell so of a rest of generics
  const asked = options as unknown as RunOptions & Options
  checkBatch(batch)
  model.check(problem, asked)
  const prepare = async ({ name, source }: NamedPicture): Promise<Prepared> => {
    try {
      return { name, pixels: await model.prepare(source, asked) }
    } catch (error) {
      if (!(error instanceof BlvitError) || error.code === 'ABORTED') throw error
      return { name, error }
    }
  }
  // The engine loads while the first pictures are decoded; if it can't, their run says why.
  model.warmUp(problem).catch(() => {})
  for await (const prepared of preparedBatches(pictures, prepare, { batch })) {
    throwIfAborted(asked.signal)
    const pixels = prepared.flatMap((picture) => ('pixels' in picture ? [picture.pixels] : []))
    const answers = pixels.length > 0 ? await model.answerPrepared(problem, pixels, asked) : []
    yield inOrder(prepared, answers)
  }
}

function inOrder<Answer>(
  prepared: readonly Prepared[],
  answers: readonly Answered<Answer>[],
): PictureAnswer<Answer>[] {
  const next = answers.values()
  return prepared.map((picture) => {
    if ('error' in picture) return picture
    const { value } = next.next()
    if (!value) throw new Error('blvit bug: fewer answers than pictures')
    return { name: picture.name, ...value }
  })
}
