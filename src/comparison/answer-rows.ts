import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataSet } from '../data/data-set.js'
import { openDataSet } from '../data/open-data-set.js'
import { analyze } from '../tasks/analyze/analyze.js'
import type { Model } from '../tasks/model.js'
import type { EvaluationProgress } from '../tasks/node/evaluate/evaluate.js'
import { load } from '../tasks/node/load.js'
import { meanSizes } from '../tasks/node/mean-sizes.js'
import { answersOf } from './answers.js'
import { fail, type Work } from './known-rows.js'
import type { PlannedRow, SoundRow } from './plan-rows.js'

/** The same for rows of the same weights in the same setting, on the same pictures. */
function rowKey(model: string, { setting }: SoundRow, data: string): string {
  return createHash('sha256')
    .update(JSON.stringify([model, setting, data]))
    .digest('hex')
    .slice(0, 16)
}

/** Has all rows answer that have not yet. @returns the key of each whose model can be opened */
export async function answerAll(
  rows: readonly SoundRow[],
  work: Work,
): Promise<ReadonlyMap<PlannedRow, string>> {
  const { known, options } = work
  const { threads, precision, offline, signal, data = [], onProgress } = options
  const keys = new Map<PlannedRow, string>()
  let finished = 0
  let resumed = 0
  const show: AnswerWork['show'] = (done, total, before = 0) => {
    resumed += before
    const whole = { done: finished * total + done, total: rows.length * total }
    onProgress?.({ doing: 'answering', ...whole, resumed })
  }
  for (const reference of new Set(rows.map((row) => row.reference))) {
    const own = rows.filter((row) => row.reference === reference)
    const [first] = own
    // sizes alone can be timed, on random weights
    if (first && 'config' in first.variant.subject.model && data.length === 0) {
      const config = JSON.stringify(first.variant.subject.model.config)
      for (const row of own) keys.set(row, rowKey(config, row, 'none'))
      continue
    }
    try {
      await using model = await load(reference, { device: 'cpu', threads, precision, offline, signal })
      const fingerprint = await model.fingerprint()
      const dataSet = data.length > 0 ? await openDataSet(data, { labels: model.labels }) : undefined
      const pictures = (await dataSet?.fingerprint()) ?? 'none'
      for (const row of own) {
        keys.set(row, rowKey(fingerprint, row, pictures))
        if (dataSet) {
          await answerRow(row, { model, dataSet, keys, work, show })
          await countRow(row, { model, dataSet, keys, work })
        }
        finished += 1
      }
    } catch (thrown) {
      for (const row of own) if (!keys.has(row)) fail(row, thrown, known, options)
      finished += own.filter((row) => !keys.has(row)).length
    }
  }
  return keys
}

interface AnswerWork {
  readonly model: Model
  readonly dataSet: DataSet
  readonly keys: ReadonlyMap<PlannedRow, string>
  readonly work: Work
  /** @param before pictures that were done before this run, where they are told of for the first time */
  readonly show: (done: number, total: number, before?: number) => void
}

async function answerRow(row: SoundRow, { model, dataSet, keys, work, show }: AnswerWork): Promise<void> {
  const { known, keep, options } = work
  const { folder, limit, seed, signal, onRow } = options
  const key = keys.get(row) ?? ''
  const before = known.answers.get(key)
  if (before) {
    show(before.pictures, before.pictures, before.pictures)
    return
  }
  const resume = folder === undefined ? undefined : join(folder, `row-${key}.state`)
  try {
    const onProgress = ({ done, total }: EvaluationProgress) => show(done, total)
    const answers = await answersOf(model, row.variant.settings, {
      ...{ dataSet, limit, seed, resume, signal, onProgress },
    })
    await keep({ row: key, answers })
    if (resume !== undefined) await rm(resume, { force: true })
    onRow?.(row, answers)
  } catch (thrown) {
    fail(row, thrown, known, options)
  }
}

/** Finds out how many tokens go on where pictures decide it. */
async function countRow(
  row: SoundRow,
  { model, dataSet, keys, work: { known, keep, options } }: Omit<AnswerWork, 'show'>,
): Promise<void> {
  const { subject, settings } = row.variant
  const key = keys.get(row) ?? ''
  if (known.counted.has(key) || known.errors.has(row) || !analyze(subject.architecture, settings).counted)
    return
  try {
    await keep({ row: key, counted: await meanSizes(model, settings, { dataSet, signal: options.signal }) })
  } catch (thrown) {
    fail(row, thrown, known, options)
  }
}
