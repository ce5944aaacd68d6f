import { join } from 'node:path'
import { throwIfAborted } from '../base/blvit-error.js'
import { checkWholeNumbers } from '../base/whole-number.js'
import { describeMachine, type Machine } from '../bench/machine.js'
import type { EngineChoice } from '../bench/messages.js'
import { makeFolder } from '../files/output-files.js'
import { StateFile } from '../files/state-file.js'
import type { Precision } from '../graph/lowering.js'
import { answerAll } from './answer-rows.js'
import type { AskedRow } from './asked-rows.js'
import type { CompareOptions } from './compare-options.js'
import { type ComparedRow, comparedRows } from './compared-rows.js'
import { comparisonIdentity, comparisonKind, type RowOutcome } from './comparison-state.js'
import { add, fail, knownFrom } from './known-rows.js'
import { isSound, planRows } from './plan-rows.js'
import { timeAll } from './time-rows.js'

/** Rows side by side. */
export interface Comparison {
  readonly version: 1
  readonly machine: Machine
  readonly data: readonly string[]
  /** Of each row; absent without data. */
  readonly pictures?: number
  readonly threads?: number
  readonly precision: Precision
  readonly rows: readonly ComparedRow[]
}

/**
 * Runs models in settings on one data set, and measures how fast they are here.
 * @param asked rows; the whole model of each is added
 * @throws BlvitError `BAD_OPTION`, `WRITE_FAILED`, `ABORTED`. A row that fails throws nothing: it says why
 */
export async function compare(asked: readonly AskedRow[], options: CompareOptions = {}): Promise<Comparison> {
  const { data = [], spread = [], folder, limit, rounds = 10, threads, precision = 'fp32' } = options
  const { seed, offline, signal, onDownload } = options
  checkWholeNumbers({ limit })
  const engine: EngineChoice = { device: 'cpu', threads, precision }
  const machine = describeMachine()
  const rows = await planRows(asked, { spread, offline, signal, onDownload })
  if (folder !== undefined) await makeFolder(folder)
  await using state =
    folder === undefined
      ? undefined
      : await StateFile.open(
          join(folder, 'comparison.state'),
          comparisonIdentity(machine, { data, limit, seed, engine }),
          comparisonKind,
        )
  const known = knownFrom(state?.outcomes ?? [])
  for (const row of rows) if (!isSound(row)) fail(row, row.error, known, options)
  const keep = async (outcome: RowOutcome) => {
    add(outcome, known)
    await state?.append([outcome])
  }
  const keys = await answerAll(rows.filter(isSound), { known, keep, options })
  throwIfAborted(signal)
  if (rounds > 0) await timeAll(rows.filter(isSound), { known, keep, options, engine, keys })
  const compared = comparedRows(
    rows.map((row) => {
      const key = keys.get(row) ?? ''
      const [answers, times] = [known.answers.get(key), known.times.get(key)]
      return { row, answers, times, counted: known.counted.get(key), error: known.errors.get(row) }
    }),
  )
  const pictures = compared.find(({ answers }) => answers)?.answers?.pictures
  return {
    version: 1,
    ...{ machine, data, precision, rows: compared },
    ...(pictures !== undefined && { pictures }),
    ...(threads !== undefined && { threads }),
  }
}
