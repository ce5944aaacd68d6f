import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { BlvitError } from '../base/blvit-error.js'
import { classNames, type OwnClasses } from './class-names.js'
import type { DataSet, FoundData } from './data-set.js'
import { existingPaths } from './find-files.js'
import { formats } from './formats/index.js'
import { LabelReader, type WrittenLabel } from './label-reader.js'

export interface OpenDataSetOptions {
  /**
   * The model's labels, in class order: they say which class a label of the data means. `ignored`: whatever the data's
   * labels are, they don't matter, and no picture has one.
   */
  readonly labels: readonly string[] | 'ignored'
  /**
   * Whether a picture may have several labels, or none: samples then have `labels`. `as-written`: where the data is
   * written in a way that says so. Default false.
   */
  readonly several?: boolean | 'as-written' | undefined
  /** Names of items that are left out. Default: none. */
  readonly without?: Iterable<string> | undefined
  /** The names of the only items that count. Default: all. */
  readonly only?: Iterable<string> | undefined
}

/**
 * Opens labelled pictures: an image folder, a folder with labels.csv, WebDataset tars, or CIFAR-10. Several references
 * and globs are read one after the other in the order of their names, whichever is given first: what is a beginning, a
 * shard or a fingerprint of them doesn't depend on it.
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`
 * @example
 * const data = await openDataSet('validation/', { labels: model.labels })
 * for await (const item of data.items()) console.log(item.name)
 */
export async function openDataSet(
  references: string | readonly string[],
  { labels, several = false, without, only }: OpenDataSetOptions,
): Promise<DataSet> {
  const found = await findAll(references)
  const isSeveral = several === 'as-written' ? found.some((data) => data.several !== undefined) : several
  const reader = labels === 'ignored' ? undefined : new LabelReader(labels, { several: isSeveral })
  reader?.decide(await labelsKnownBefore(found, reader))
  const [first, ...others] = await Promise.all(found.map((data) => data.withLabels(reader)))
  if (!first) throw new BlvitError('BAD_OPTION', 'Name the data: a folder, a labels.csv, tars or CIFAR-10.')
  const all = others.length === 0 ? first : joined([first, ...others])
  return without || only ? selected(all, { without, only }) : all
}

/**
 * The classes that data brings itself: the names of its folders, what stands in its labels.csv or tars.
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`
 */
export async function ownClasses(references: string | readonly string[]): Promise<OwnClasses> {
  const found = await findAll(references)
  const lists = await Promise.all(
    found.map(async ({ classes, labels, readLabels }) => {
      if (classes) return classes
      return (labels ?? (await readLabels?.()) ?? []).map(({ text }) => text)
    }),
  )
  const rules = new Set(found.flatMap(({ several }) => several ?? []))
  return { labels: classNames(lists.flat()), several: rules.size > 0 ? [...rules].join('; ') : undefined }
}

async function findAll(references: string | readonly string[]): Promise<readonly FoundData[]> {
  const paths: string[] = []
  for (const reference of [references].flat()) paths.push(...(await pathsOf(reference)))
  return Promise.all(paths.sort(byName).map(findOne))
}

/** A part of a data set, by the names of its items. */
function selected(
  dataSet: DataSet,
  { without, only }: Pick<OpenDataSetOptions, 'without' | 'only'>,
): DataSet {
  const left = new Set(without)
  const wanted = only && new Set(only)
  return {
    ...dataSet,
    get labelRule() {
      return dataSet.labelRule
    },
    // names may stand there that the data doesn't have
    size: undefined,
    async *items(options) {
      for await (const item of dataSet.items(options))
        if (!left.has(item.name) && (wanted?.has(item.name) ?? true)) yield item
    },
    async fingerprint() {
      const names = JSON.stringify([[...left].sort(), wanted && [...wanted].sort()])
      return createHash('sha256')
        .update(`${await dataSet.fingerprint()} ${names}`)
        .digest('hex')
    },
  }
}

/** The name first, as the folders above it may be others on another machine. */
function byName(a: string, b: string): number {
  const [nameA, nameB] = [basename(a), basename(b)]
  if (nameA !== nameB) return nameA < nameB ? -1 : 1
  return a < b ? -1 : Number(a > b)
}

/** The labels that decide how all of them are meant. */
async function labelsKnownBefore(
  found: readonly FoundData[],
  { needsAll }: LabelReader,
): Promise<WrittenLabel[]> {
  const lists = await Promise.all(
    found.map(
      async ({ labels, readLabels }) => labels ?? (needsAll ? await readLabels?.() : undefined) ?? [],
    ),
  )
  return lists.flat()
}

async function pathsOf(reference: string): Promise<string[]> {
  try {
    return await existingPaths(reference)
  } catch (thrown) {
    for (const format of formats) if (await format.recognisesPart?.(reference)) return [reference]
    throw thrown
  }
}

async function findOne(path: string): Promise<FoundData> {
  for (const format of formats) {
    if (await format.recognises(path)) return format.find(path)
  }
  throw new BlvitError(
    'BAD_DATA',
    `${path} is no data set that blvit knows: ${formats.map(({ looks }) => looks).join('; ')}.`,
  )
}

/** Data sets one after the other; the names of their samples begin with their own. */
function joined(parts: readonly DataSet[]): DataSet {
  const sizes = parts.map(({ size }) => size)
  const known = sizes.filter((size) => size !== undefined)
  const prefixes = parts.map(({ name }, index) => {
    const last = basename(name)
    const isTwice = parts.some((other, i) => i !== index && basename(other.name) === last)
    return isTwice ? name : last
  })
  return {
    name: `${parts.length} data sets, ${parts[0]?.name} …`,
    size: known.length === sizes.length ? known.reduce((a, b) => a + b, 0) : undefined,
    get labelRule() {
      const rules = new Set(parts.flatMap(({ labelRule }) => labelRule ?? []))
      return rules.size > 0 ? [...rules].join('; ') : undefined
    },
    notes: parts.flatMap(({ notes }) => notes ?? []),
    async *items(options) {
      for (const [index, part] of parts.entries()) {
        for await (const item of part.items(options)) {
          const readShare = (index + (item.readShare ?? 0)) / parts.length
          // names from a tar begin with the tar's already
          const prefix = item.name.startsWith(`${prefixes[index]}/`) ? '' : `${prefixes[index]}/`
          yield { ...item, name: `${prefix}${item.name}`, readShare }
        }
      }
    },
    async fingerprint() {
      const hash = createHash('sha256')
      for (const part of parts) hash.update(`${basename(part.name)} ${await part.fingerprint()}\n`)
      return hash.digest('hex')
    },
  }
}
