import { checkBatch, preparedAhead, preparedBatches } from '../../base/ahead.js'
import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import type { ImageInput } from '../../image/image-input.js'
import type { Problem } from '../../problems/problem.js'
import type { Model } from '../model.js'
import type { RunOptions } from '../model-answers.js'
import { runsAheadOf } from '../model-runs.js'
import type { Answered } from '../two-stages.js'

export interface ManyOptions {
  /** Pictures per run of an engine. Default: 1, or what is fastest where several engines work beside each other. */
  readonly batch?: number | undefined
  /**
   * Pictures to come, which decides how many engines are opened. Default: all of a list; of a stream more than any list has
   */
  readonly expected?: number | undefined
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
  { batch: givenBatch, expected = countOf(pictures), ...options }: ManyOptions & RunOptions & Options,
): AsyncGenerator<readonly PictureAnswer<Answer>[]> {
  // what is left of the options is the problem's and the run's: TypeScript can't tell so of a rest of generics
  const asked = options as unknown as RunOptions & Options
  checkBatch(givenBatch)
  model.check(problem, asked)
  const prepare = async ({ name, source }: NamedPicture): Promise<Prepared> => {
    try {
      return { name, pixels: await model.prepare(source, asked) }
    } catch (error) {
      if (!(error instanceof BlvitError) || error.code === 'ABORTED') throw error
      return { name, error }
    }
  }
  const caller = {}
  const run = async (prepared: readonly Prepared[]) => {
    const pixels = prepared.flatMap((picture) => ('pixels' in picture ? [picture.pixels] : []))
    const answers = pixels.length > 0 ? await model.answerPrepared(problem, pixels, { ...asked, caller }) : []
    return inOrder(prepared, answers)
  }
  const batch = givenBatch ?? model.batchFor(expected, asked, { otherwise: 1 })
  const ahead = runsAheadOf(model.planFor(expected))
  // The engine loads while the first pictures are decoded; if it can't, their run says why.
  model.warmUp(problem, { pictures: expected }).catch(() => {})
  for await (const answers of preparedAhead(preparedBatches(pictures, prepare, { batch }), run, { ahead })) {
    throwIfAborted(asked.signal)
    yield answers
  }
}

function countOf(pictures: Iterable<NamedPicture> | AsyncIterable<NamedPicture>): number {
  return Array.isArray(pictures) ? pictures.length : Number.POSITIVE_INFINITY
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
