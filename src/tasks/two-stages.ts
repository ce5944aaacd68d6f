import { defined } from '../base/assert.js'

/** An answer, and what it took. */
export interface Answered<Answer> {
  readonly answer: Answer
  /** The engine's time, shared equally by the pictures of a batch; of two stages their sum. */
  readonly elapsedMs: number
  /** Of a run in two stages, the one that answered: 2 where the first wasn't sure. */
  readonly stage?: 1 | 2 | undefined
}

/** What a stage says of some pictures. */
export interface StageAnswers<Answer> {
  readonly answers: readonly Answered<Answer>[]
  /** Places of the pictures that it isn't sure of. */
  readonly unsure: readonly number[]
}

/** A picture as both stages take it, the first one's in front. */
export function forBoth(first: Float32Array, second: Float32Array): Float32Array {
  const both = new Float32Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

/**
 * Answers by the first stage, and what that isn't sure of by the second.
 * @param pictures each by {@link forBoth} @param length of a picture of the first stage
 */
export async function inTwoStages<Answer>(
  pictures: readonly Float32Array[],
  length: number,
  stages: {
    readonly first: (pictures: readonly Float32Array[]) => Promise<StageAnswers<Answer>>
    readonly second: (pictures: readonly Float32Array[]) => Promise<StageAnswers<Answer>>
  },
): Promise<Answered<Answer>[]> {
  const { answers, unsure } = await stages.first(pictures.map((picture) => picture.subarray(0, length)))
  const again = unsure.map((place) => defined(pictures[place], 'a picture').subarray(length))
  const better = again.length === 0 ? [] : (await stages.second(again)).answers
  const rows = new Map(unsure.map((place, row) => [place, better[row]]))
  return answers.map(({ answer, elapsedMs }, place) => {
    const second = rows.get(place)
    return second
      ? { answer: second.answer, elapsedMs: elapsedMs + second.elapsedMs, stage: 2 }
      : { answer, elapsedMs, stage: 1 }
  })
}
