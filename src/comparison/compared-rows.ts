import type { BlvitError } from '../base/blvit-error.js'
import type { Share } from '../base/share.js'
import type { Bindings } from '../graph/dim.js'
import type { Settings } from '../settings/settings.js'
import { analyze } from '../tasks/analyze/analyze.js'
import type { MultiplyAdds } from '../tasks/analyze/shares.js'
import type { MeanSizes } from '../tasks/node/mean-sizes.js'
import { agreementOf, type RowAnswers } from './answers.js'
import { paretoFront } from './pareto.js'
import { isControl, isSound, type PlannedRow, type SoundRow, wholeOf } from './plan-rows.js'
import type { RowTimes } from './times.js'

/** What a row's graph costs for one picture. */
export interface RowCost {
  readonly parameters: number
  /** By convention: `linear` (L), `full` (T: with the attention products), `thop`. */
  readonly multiplyAdds: MultiplyAdds
  /**
   * Where pictures decide how many tokens go on: the means that this was counted with, or, where none were measured, the most
   * that there can be.
   */
  readonly counted?: { readonly pictures: number; readonly sizes: Bindings }
  /** That each block works on, or its big half, in order; absent where a family counts none. */
  readonly tokens: readonly number[]
}

/** The fronts on which a row lies: nobody is as accurate for less. */
export interface Fronts {
  readonly latency?: boolean
  readonly picturesPerSecond?: boolean
  readonly multiplyAdds?: boolean
}

/** How often a row was right. */
type RowCounts = Omit<RowAnswers, 'predicted'>

/** A row that was compared. What couldn't be found out is absent, and `error` says why. */
export interface ComparedRow {
  readonly model: string
  readonly reference: string
  /** As people read it; `plain` where nothing is set. */
  readonly setting: string
  readonly settings: Settings
  /** Only smaller pictures or fewer layers: what a method has to beat. */
  readonly isControl: boolean
  readonly cost?: RowCost
  readonly answers?: RowCounts
  /** First classes that are those of the whole model, and which row that is. */
  readonly agreement?: Share & { readonly with: string }
  readonly times?: RowTimes
  readonly fronts: Fronts
  readonly error?: { readonly code: string; readonly message: string }
}

/** A row with all that was found out about it. */
export interface FoundRow {
  readonly row: PlannedRow
  readonly answers: RowAnswers | undefined
  readonly times: RowTimes | undefined
  readonly counted: MeanSizes | undefined
  readonly error: BlvitError | undefined
}

function costOf({ variant }: SoundRow, measured: MeanSizes | undefined): RowCost {
  const { parameters, multiplyAdds, layers, counted } = analyze(variant.subject.architecture, {
    ...variant.settings,
    ...(measured && { measured: measured.sizes }),
  })
  const tokens = layers.flatMap((layer) => layer.tokens ?? [])
  const known = counted && { counted: { pictures: measured?.pictures ?? 0, sizes: counted } }
  return { parameters, multiplyAdds, ...known, tokens }
}

/** Whether each row lies on the front of some cost; undefined for those that have none, or no accuracy. */
function frontOf(rows: readonly ComparedRow[], cost: (row: ComparedRow) => number | undefined) {
  const places = new Map(
    rows.flatMap((row) => {
      const [spent, accuracy] = [cost(row), row.answers?.top1.share]
      const isComplete = spent !== undefined && accuracy !== undefined && Number.isFinite(accuracy)
      return isComplete ? [[row, { cost: spent, accuracy }] as const] : []
    }),
  )
  const front = paretoFront([...places.values()])
  const found = new Map([...places.keys()].map((row, index) => [row, front[index]]))
  return (row: ComparedRow) => found.get(row)
}

function countsOf({ predicted: _, ...counts }: RowAnswers): RowCounts {
  return counts
}

function withoutFronts(
  { row, answers, times, counted, error }: FoundRow,
  all: readonly FoundRow[],
): ComparedRow {
  const named = { model: row.model, reference: row.reference, setting: row.setting }
  const why = error && { error: { code: error.code, message: error.message } }
  if (!isSound(row)) return { ...named, settings: {}, isControl: false, fronts: {}, ...why }
  const sound = all.flatMap((one) => (isSound(one.row) ? [one.row] : []))
  const whole = wholeOf(row, sound)
  const others = all.find((one) => one.row === whole)?.answers
  return {
    ...named,
    settings: row.variant.resolved.values,
    isControl: isControl(row),
    cost: costOf(row, counted),
    ...(answers && { answers: countsOf(answers) }),
    ...(answers && others && whole && whole !== row
      ? { agreement: { ...agreementOf(answers, others), with: whole.model } }
      : {}),
    ...(times && { times }),
    fronts: {},
    ...why,
  }
}

/** Puts what was found out of rows side by side. */
export function comparedRows(found: readonly FoundRow[]): readonly ComparedRow[] {
  const rows = found.map((one) => withoutFronts(one, found))
  const latency = frontOf(rows, ({ times }) => times?.latencyMs.median)
  const perPicture = frontOf(rows, ({ times }) => times && 1 / times.picturesPerSecond)
  const work = frontOf(rows, ({ cost }) => cost?.multiplyAdds.full)
  const told = (name: keyof Fronts, isOn: boolean | undefined) => (isOn === undefined ? {} : { [name]: isOn })
  return rows.map((row) => ({
    ...row,
    fronts: {
      ...told('latency', latency(row)),
      ...told('picturesPerSecond', perPicture(row)),
      ...told('multiplyAdds', work(row)),
    },
  }))
}
