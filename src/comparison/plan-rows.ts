import { basename, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { BlvitError } from '../base/blvit-error.js'
import { findSubject, type Subject, type SubjectOptions, type Variant, variantOf } from '../bench/variants.js'
import { plainKey } from '../settings/setting.js'
import { type Settings, settingNames, settingOf, settingsOf } from '../settings/settings.js'
import type { AskedRow } from './asked-rows.js'

/** A row that is to be filled, or why it can't be. */
export type PlannedRow = {
  readonly reference: string
  /** What tables call the model: a folder by its last name. */
  readonly model: string
  /** As people read it; `plain` where nothing is set. */
  readonly setting: string
} & ({ readonly variant: Variant } | { readonly error: BlvitError })

/** A row that a model can be run for. */
export type SoundRow = Extract<PlannedRow, { variant: Variant }>

export function isSound(row: PlannedRow): row is SoundRow {
  return 'variant' in row
}

/** A folder's path is cut to its name, unless two have the same; `owner/name` and shipped names stay. */
function shortNames(references: readonly string[]): (reference: string) => string {
  const short = (reference: string) =>
    /^[\w-][^/\\]*(\/[^/\\]+)?$/.test(reference) ? reference : basename(resolve(reference))
  const all = [...new Set(references)].map(short)
  return (reference) =>
    all.filter((name) => name === short(reference)).length === 1 ? short(reference) : reference
}

/** The settings as they were typed, for a row whose model nobody knows. */
function typed(settings: Settings): string {
  const texts = settingNames.flatMap((name) => {
    const value = settings[name]
    return value === undefined ? [] : [`${value}${settingOf(name).unit ?? ''}`]
  })
  return texts.join(', ') || plainKey
}

/**
 * Finds the models of rows. The whole model is put before the first of its rows that has less, so that there is something to
 * compare with; what comes to the same is one row.
 * @param options `spread`: settings that each model without any is also run at, if it can take them
 * @throws BlvitError `BAD_OPTION` for one of them that no model can take
 */
export async function planRows(
  asked: readonly AskedRow[],
  { spread = [], ...found }: SubjectOptions & { readonly spread?: readonly Settings[] } = {},
): Promise<readonly PlannedRow[]> {
  const subjects = new Map<string, Subject | BlvitError>()
  for (const reference of new Set(asked.map((row) => row.reference)))
    subjects.set(reference, await sought(() => findSubject(reference, found)))
  const nameOf = shortNames([...subjects.keys()])
  const row = (reference: string, settings: Settings): PlannedRow => {
    const subject = subjects.get(reference)
    const variant = subject instanceof BlvitError ? subject : triedAt(subject, settings)
    const named = { reference, model: nameOf(reference) }
    return variant instanceof BlvitError
      ? { ...named, setting: typed(settings), error: variant }
      : { ...named, setting: variant.resolved.key, variant }
  }
  const bare = asked.filter(({ settings }) => Object.keys(settings).length === 0)
  checkSpread(
    spread,
    bare.map(({ reference }) => subjects.get(reference)),
  )
  const rows = asked.flatMap(({ reference, settings }) => {
    const own = row(reference, settings)
    const isBare = Object.keys(settings).length === 0
    const others = isBare ? spread.map((one) => row(reference, one)).filter(isSound) : []
    const whole = row(reference, {})
    return [...(isSound(whole) && whole.setting === plainKey ? [whole] : []), own, ...others]
  })
  const isSame = (a: PlannedRow, b: PlannedRow) => a.reference === b.reference && a.setting === b.setting
  return rows.filter((one, index) => rows.findIndex((other) => isSame(one, other)) === index)
}

async function sought(find: () => Promise<Subject>): Promise<Subject | BlvitError> {
  try {
    return await find()
  } catch (thrown) {
    if (thrown instanceof BlvitError && thrown.code !== 'ABORTED') return thrown
    throw thrown
  }
}

function triedAt(subject: Subject | undefined, settings: Settings): Variant | BlvitError {
  try {
    if (subject) return variantOf(subject, settings)
    throw new Error('blvit bug: a row without a model')
  } catch (thrown) {
    if (thrown instanceof BlvitError) return thrown
    throw thrown
  }
}

/** @throws BlvitError the complaint about a setting that none of the models can take */
function checkSpread(spread: readonly Settings[], subjects: readonly (Subject | BlvitError | undefined)[]) {
  const found = subjects.flatMap((subject) => (subject instanceof BlvitError || !subject ? [] : [subject]))
  for (const settings of spread) {
    const tries = found.map((subject) => triedAt(subject, settings))
    const complaint = tries.find((one) => one instanceof BlvitError)
    if (complaint && tries.every((one) => one instanceof BlvitError)) throw complaint
  }
}

/** True for a row that only has smaller pictures or fewer layers: what every method has to beat. */
export function isControl({ variant }: SoundRow): boolean {
  const { settings, resolved } = variant
  const set = settingNames.filter((name) => settingsOf(settings)[name] !== undefined)
  return (
    resolved.key !== plainKey && set.length > 0 && set.every((name) => settingOf(name).remake !== undefined)
  )
}

/**
 * The row whose answers a row's are compared with: the whole model, or for one that routes the first whole model of the
 * sizes of its big blocks.
 */
export function wholeOf(row: SoundRow, rows: readonly SoundRow[]): SoundRow | undefined {
  const { plain } = row.variant.subject.architecture
  return rows.find(
    (other) =>
      other.setting === plainKey &&
      (plain
        ? isDeepStrictEqual(other.variant.subject.architecture.json, plain.json)
        : other.reference === row.reference),
  )
}
