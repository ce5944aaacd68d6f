import { freemem } from 'node:os'
import { BlvitError } from '../base/blvit-error.js'
import type { EngineChoice } from '../bench/messages.js'
import { analyze } from '../tasks/analyze/analyze.js'
import { fail, type Work } from './known-rows.js'
import type { PlannedRow, SoundRow } from './plan-rows.js'
import { timesOfRows } from './times.js'

/**
 * Half of what is free may be taken by the processes of rows that are measured together: each row has two, with Node, the
 * engine, and its weights a few times.
 */
const shareOfMemory = 0.5
const bytesOfProcess = 200e6
const copiesOfWeights = 3

/** Times are kept group by group: a comparison that is stopped measures no more rows than these anew. */
const mostTogether = 8

/** Rows that are measured together, so that what disturbs the machine disturbs all alike: as many as the memory has room for. */
function groupsOf(rows: readonly SoundRow[]): SoundRow[][] {
  const room = shareOfMemory * (process.availableMemory?.() ?? freemem())
  const groups: SoundRow[][] = []
  let taken = Number.POSITIVE_INFINITY
  for (const row of rows) {
    const weightBytes = 4 * analyze(row.variant.subject.architecture).parameters
    const needed = 2 * (bytesOfProcess + copiesOfWeights * weightBytes)
    const group = groups.at(-1)
    if (group && group.length < mostTogether && taken + needed <= room) {
      group.push(row)
      taken += needed
    } else {
      groups.push([row])
      taken = needed
    }
  }
  return groups
}

/** Times all rows that have not been timed yet. */
export async function timeAll(
  rows: readonly SoundRow[],
  {
    known,
    keep,
    options,
    engine,
    keys,
  }: Work & { engine: EngineChoice; keys: ReadonlyMap<PlannedRow, string> },
): Promise<void> {
  const { rounds = 10, signal, onProgress = () => {} } = options
  const left = rows.filter((row) => {
    const key = keys.get(row)
    return key !== undefined && !known.times.has(key) && !known.errors.has(row)
  })
  for (const group of groupsOf(left)) {
    const measured = await timesOfRows(group, { engine, rounds, signal, onProgress })
    for (const [index, row] of group.entries()) {
      const times = measured[index]
      if (times instanceof BlvitError) fail(row, times, known, options)
      else if (times) await keep({ row: keys.get(row) ?? '', times })
    }
  }
}
