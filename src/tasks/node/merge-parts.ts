import { BlvitError } from '../../base/blvit-error.js'
import { readState, type StateKind } from '../../files/state-file.js'
import type { ScoreFunction } from '../../models/score-function.js'
import { type PictureResult, pictureResult } from './classify-many.js'
import { type CompleteParts, completeParts } from './complete-parts.js'
import { type EmbeddedPicture, embeddedPicture, embeddingKind } from './embed/embed-many.js'
import { type Evaluation, evaluationOf } from './evaluate/evaluate.js'
import { type EvaluationReport, evaluationKind } from './evaluate/evaluation-state.js'
import type { PictureOutcome } from './evaluate/picture-outcome.js'
import { classificationKind } from './kept-classifications.js'

/** What the parts of a run come to, by the command that makes them. */
export type Merged =
  | {
      readonly of: 'classify'
      readonly results: readonly PictureResult[]
      /** How the numbers of the model's head became scores. */
      readonly scores: ScoreFunction
    }
  | { readonly of: 'embed'; readonly pictures: readonly EmbeddedPicture[] }
  | {
      readonly of: 'eval'
      /** Its times are the sums of the parts'. */
      readonly evaluation: Evaluation
      readonly outcomes: readonly PictureOutcome[]
      /** What was evaluated. */
      readonly report: EvaluationReport
    }

type Merger = (paths: readonly string[]) => Promise<Merged | undefined>

/** @returns a function that gives undefined where the first file is no part of this kind */
function mergerOf<Outcome extends { readonly name: string }, Report extends { readonly places: number[] }>(
  kind: StateKind<Outcome, Report>,
  mergedOf: (parts: CompleteParts<Outcome, Report>, first: Report) => Merged,
): Merger {
  return async (paths) => {
    const found = await Promise.all(paths.map(async (path) => ({ path, state: await readState(path, kind) })))
    if (!found[0]?.state) return undefined
    const strangers = found.filter(({ state }) => !state)
    const parts = completeParts(
      found.flatMap(({ state }) => state ?? []),
      strangers.map(({ path }) => `${path} is no part of "${kind.command}".`),
    )
    const [first] = parts.reports
    if (!first || parts.outcomes.length === 0)
      throw new BlvitError('BAD_DATA', 'The parts hold no pictures: the data had none.')
    return mergedOf(parts, first)
  }
}

const mergers: readonly Merger[] = [
  mergerOf(classificationKind, ({ outcomes }, { scores }) => ({
    of: 'classify',
    results: outcomes.map(pictureResult),
    scores,
  })),
  mergerOf(embeddingKind, ({ outcomes }) => ({ of: 'embed', pictures: outcomes.map(embeddedPicture) })),
  mergerOf(evaluationKind, ({ outcomes, reports }, report) => {
    const timing = reports
      .map((each) => each.timing)
      .reduce((a, b) => ({
        pictures: a.pictures + b.pictures,
        elapsedMs: a.elapsedMs + b.elapsedMs,
        engineMs: a.engineMs + b.engineMs,
      }))
    return { of: 'eval', evaluation: evaluationOf(outcomes, { ...report, timing }), outcomes, report }
  }),
]

/**
 * Puts the parts of a run together, to what one process would have given: the state files of all its shards, in any order.
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA` naming every part that is missing, doubled, unfinished or of another run
 * @example
 * const merged = await mergeParts(['0.part', '1.part'])
 * if (merged.of === 'eval') console.log(merged.evaluation.results)
 */
export async function mergeParts(paths: readonly string[]): Promise<Merged> {
  for (const merge of mergers) {
    const merged = await merge(paths)
    if (merged) return merged
  }
  const made = 'blvit classify, embed and eval make them with --shard and --part'
  throw new BlvitError('BAD_DATA', `${paths[0] ?? 'Nothing'} is no part of a run: ${made}.`)
}
