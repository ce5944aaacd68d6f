import { BlvitError } from '../../base/blvit-error.js'
import { type RunIdentity, runDifferences } from '../../base/run-identity.js'
import { orderByName, parseShard, type Shard, shardText } from '../../base/shard.js'
import type { KeptState } from '../../files/state-file.js'

/** What the report of every part has: where its outcomes stand among all. */
interface Placed {
  readonly places: readonly number[]
}

/** All parts of a run. */
export interface CompleteParts<Outcome, Report> {
  /** In the order in which one process would have given them. */
  readonly outcomes: readonly Outcome[]
  /** In the order of the shards. */
  readonly reports: readonly Report[]
}

/**
 * Makes sure that some parts are all of one run.
 * @param complaints what is wrong already
 * @throws BlvitError `BAD_DATA` naming every part that is missing, doubled, unfinished or of another run
 */
export function completeParts<Outcome extends { readonly name: string }, Report extends Placed>(
  states: readonly KeptState<Outcome, Report>[],
  complaints: readonly string[],
): CompleteParts<Outcome, Report> {
  const all = states.map(partOf)
  const typical = mostCommon(all)
  const isOfRun = ({ common }: Part<unknown>) => JSON.stringify(common) === JSON.stringify(typical?.common)
  const parts = all.filter(isOfRun).sort((a, b) => a.shard.index - b.shard.index)
  const finished = parts.flatMap(({ state: { outcomes, report } }) =>
    report?.places.length === outcomes.length ? [{ outcomes, report }] : [],
  )
  const foreign = all.flatMap((part) => (typical && !isOfRun(part) ? [foreignText(part, typical)] : []))
  const wrong = [...complaints, ...foreign, ...doubled(parts), ...missing(parts), ...unfinished(parts)]
  if (wrong.length > 0) throw new BlvitError('BAD_DATA', wrong.join('\n'), { complaints: wrong })
  const sameOrder = new Set(states.map(({ identity }) => identity.order)).size === 1
  return {
    outcomes: inOrder(finished, sameOrder),
    reports: finished.map(({ report }) => report),
  }
}

interface Part<State> {
  readonly shard: Shard
  /** What the parts of a run have in common. */
  readonly common: RunIdentity
  readonly state: State
}

function partOf<State extends KeptState<unknown, unknown>>(state: State): Part<State> {
  const { shard: text = '0/1', order: _, ...common } = state.identity
  const shard = parseShard(text)
  return { shard, common: { ...common, 'number of shards': `${shard.count}` }, state }
}

/** A part of the run that most are of; of several such runs the first. */
function mostCommon<State>(parts: readonly Part<State>[]): Part<State> | undefined {
  const counts = new Map<string, number>()
  const texts = parts.map(({ common }) => JSON.stringify(common))
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  const highest = Math.max(...counts.values())
  return parts[texts.findIndex((text) => counts.get(text) === highest)]
}

type AnyPart = Part<KeptState<unknown, unknown>>

function foreignText({ common, state }: AnyPart, typical: AnyPart): string {
  const told = { there: 'there', here: `in ${typical.state.path}` }
  const lines = runDifferences({ found: common, wanted: typical.common }, told)
  return [`${state.path} is a part of another run:`, ...lines].join('\n')
}

type Parts = readonly Part<KeptState<unknown, Placed>>[]

function doubled(parts: Parts): string[] {
  const paths = new Map<string, string[]>()
  for (const { shard, state } of parts) {
    const text = shardText(shard)
    paths.set(text, [...(paths.get(text) ?? []), state.path])
  }
  return [...paths].flatMap(([shard, same]) =>
    same.length > 1 ? [`${same.join(' and ')} are the same shard, ${shard}: give one of them.`] : [],
  )
}

/** There may be billions of shards. */
const shownMissing = 10

function missing(parts: Parts): string[] {
  const count = parts[0]?.shard.count ?? 0
  const there = new Set(parts.map(({ shard }) => shard.index))
  const shown: string[] = []
  for (let index = 0; index < count && shown.length < shownMissing; index++)
    if (!there.has(index)) shown.push(shardText({ index, count }))
  const more = count - there.size - shown.length
  if (shown.length === 0) return []
  return [`Missing: shard ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`]
}

function unfinished(parts: Parts): string[] {
  return parts.flatMap(({ shard, state: { path, outcomes, report } }) =>
    report?.places.length === outcomes.length
      ? []
      : [
          `${path} (shard ${shardText(shard)}) isn't finished or is damaged: of its pictures ${outcomes.length} can be ` +
            'read. Run its command again, which goes on from there.',
        ],
  )
}

/** @param sameOrder whether all parts were given their pictures in the same order; else they are put in that of their names */
function inOrder<Outcome extends { readonly name: string }>(
  parts: readonly { readonly outcomes: readonly Outcome[]; readonly report: Placed }[],
  sameOrder: boolean,
): readonly Outcome[] {
  const outcomes = parts.flatMap((part) => part.outcomes)
  const places = parts.flatMap(({ report }) => report.places)
  const order = sameOrder
    ? places.map((_, index) => index).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0))
    : orderByName(outcomes)
  if (sameOrder && order.some((index, place) => places[index] !== place))
    throw new BlvitError('BAD_DATA', "The parts don't fit together: they are not of the same pictures.")
  return order.flatMap((index) => outcomes[index] ?? [])
}
