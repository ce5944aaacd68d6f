import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import { formatByName } from '../../image/picture-formats.js'
import { cifarPictures, recordBytes } from '../cifar-records.js'
import type { DataFormat, DataItem, DataSet, FoundData } from '../data-set.js'
import { entriesOf, isFolder } from '../find-files.js'
import type { LabelReader } from '../label-reader.js'
import { tarMembers } from '../tar-members.js'

/** In the order of the official labels. */
const classNames = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']

type Part = 'train' | 'test'

/** The batch files of each part; a picture's path begins with its part instead, `train/cat/00001.jpg`. */
const batchFiles: Readonly<Record<Part, RegExp>> = {
  train: /^data_batch_\d\.bin$/,
  test: /^test_batch\.bin$/,
}
const pictureMember = new RegExp(`(?:^|/)(train|test)/(${classNames.join('|')})/[^/]+$`)

/**
 * CIFAR-10: the official binary version, as archive or unpacked, or an archive of `train|test/<class>/<n>.jpg`.
 * A reference says which part is meant: `cifar-10-binary.tar.gz/train`, `cifar-10-batches-bin/test`.
 */
export const cifar10: DataFormat = {
  name: 'CIFAR-10',
  looks: 'CIFAR-10 with /train or /test behind it (cifar-10-binary.tar.gz/train)',
  recognises: async (path) => (await isPart(path)) || isBatchFile(path) || (await isWhole(path)),
  recognisesPart: isPart,
  find: async (path) =>
    ({
      labels: [],
      classes: classNames,
      withLabels: (reader) => openCifar10(path, reader),
    }) satisfies FoundData,
}

function partOf(path: string): { whole: string; part: Part } | undefined {
  const [, whole = '', part] = /^(.+?)[/\\]+(train|test)[/\\]*$/.exec(path) ?? []
  return part === undefined ? undefined : { whole, part: part as Part }
}

const isArchive = (path: string) => /\.(tar|tgz|tar\.gz)$/i.test(path)
const isBatchFile = (path: string) => Object.values(batchFiles).some((files) => files.test(basename(path)))

async function batchFilesIn(folder: string): Promise<string[]> {
  const names = (await entriesOf(folder)).map(({ name }) => name)
  return names.filter(isBatchFile).sort()
}

async function isPart(path: string): Promise<boolean> {
  const { whole = '' } = partOf(path) ?? {}
  if (await isFolder(whole)) return !(await isFolder(path)) && (await batchFilesIn(whole)).length > 0
  return isArchive(whole) && ((await stat(whole).catch(() => undefined))?.isFile() ?? false)
}

/** All of CIFAR-10, by name and content: a WebDataset may be called so as well. */
async function isWhole(path: string): Promise<boolean> {
  if (await isFolder(path)) return (await batchFilesIn(path)).length > 0
  if (!isArchive(path) || !/cifar/i.test(basename(path))) return false
  for await (const { name } of tarMembers(path)) {
    if (isBatchFile(name) || pictureMember.test(name)) return true
    // the official archive has texts besides
    if (formatByName(name)) return false
  }
  return false
}

async function openCifar10(path: string, reader: LabelReader | undefined): Promise<DataSet> {
  const { whole, part } = partOf(path) ?? { whole: path, part: undefined }
  const classes = classNumbers(path, reader)
  if (isBatchFile(path)) return batchFileSet(path, [path], classes)
  if (part === undefined) {
    const message = `${path} holds CIFAR-10's pictures to train on and those to test with. Name one: ${path}/train or ${path}/test.`
    throw new BlvitError('BAD_DATA', message, { path })
  }
  if (isArchive(whole)) return archiveSet(whole, part, classes)
  const files = (await batchFilesIn(whole)).filter((file) => batchFiles[part].test(file))
  if (files.length === 0)
    throw new BlvitError('NOT_FOUND', `${whole} holds no CIFAR-10 batches to ${part} with.`)
  const paths = files.map((file) => join(whole, file))
  return batchFileSet(path, paths, classes)
}

/** The model's class of each of CIFAR-10's, and how they were found. */
interface ClassNumbers {
  readonly numbers: readonly (number | undefined)[]
  readonly labelRule: string | undefined
}

/** By name; a model whose ten classes have none, as `blvit init` makes it, takes the official numbers. */
function classNumbers(path: string, reader: LabelReader | undefined): ClassNumbers {
  const where = `${path} (CIFAR-10)`
  const official = classNames.map((_, number) => number)
  if (!reader) return { numbers: official.map(() => undefined), labelRule: undefined }
  const isUnnamed = (number: number) => {
    try {
      return reader.named({ text: `class ${number}`, where }) === number
    } catch (thrown) {
      if (thrown instanceof BlvitError) return false
      throw thrown
    }
  }
  if (reader.count === classNames.length && official.every(isUnnamed)) {
    return {
      numbers: official,
      labelRule: 'the numbers of CIFAR-10, as the classes of the model have no names',
    }
  }
  return {
    numbers: classNames.map((text) => reader.named({ text, where })),
    labelRule: "CIFAR-10's names of the classes",
  }
}

/** Changes with names and sizes, not with where the files lie. */
async function fingerprintOf(paths: readonly string[], part: Part | ''): Promise<string> {
  const hash = createHash('sha256').update(part)
  for (const path of paths) hash.update(` ${basename(path)} ${(await stat(path)).size}`)
  return hash.digest('hex')
}

async function batchFileSet(name: string, paths: readonly string[], classes: ClassNumbers): Promise<DataSet> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size))
  return {
    name,
    labelRule: classes.labelRule,
    size: sizes.reduce((sum, sizeBytes) => sum + Math.ceil(sizeBytes / recordBytes), 0),
    async *items({ signal } = {}) {
      for (const [index, path] of paths.entries()) {
        // whole records, some at a time
        const pieces = createReadStream(path, { highWaterMark: 100 * recordBytes })
        const file = { name: basename(path), path, sizeBytes: sizes[index] as number, pieces }
        for await (const item of cifarPictures(file, classes.numbers)) {
          throwIfAborted(signal)
          yield { ...item, readShare: (index + (item.readShare ?? 0)) / paths.length }
        }
      }
    },
    fingerprint: () => fingerprintOf(paths, ''),
  }
}

function archiveSet(path: string, part: Part, classes: ClassNumbers): DataSet {
  return {
    name: `${path}/${part}`,
    labelRule: classes.labelRule,
    items: (options) => archiveItems(path, part, { classes, ...options }),
    fingerprint: () => fingerprintOf([path], part),
  }
}

async function* archiveItems(
  path: string,
  part: Part,
  { classes, signal }: { readonly classes: ClassNumbers; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<DataItem> {
  let count = 0
  for await (const { name: member, content, readShare } of tarMembers(path, { signal })) {
    const [, memberPart, className = ''] = pictureMember.exec(member) ?? []
    const name = member === '' ? basename(path) : `${basename(path)}/${member}`
    const isPicture = memberPart === part && formatByName(member) !== undefined
    const isBatch = batchFiles[part].test(basename(member))
    // an error without a member's name is the archive's own: it is damaged or was cut off
    if (content instanceof BlvitError) {
      if (isPicture || isBatch || member === '') yield { name, error: content, readShare }
    } else if (isPicture) {
      count += 1
      yield { name, source: content, label: classes.numbers[classNames.indexOf(className)], readShare }
    } else if (isBatch) {
      const file = { name, path: `${path}, member ${member}`, sizeBytes: content.length, pieces: [content] }
      for await (const item of cifarPictures(file, classes.numbers)) {
        count += 1
        yield { ...item, readShare }
      }
    }
  }
  if (count === 0) yield { name: `${basename(path)}/${part}`, error: holdsNothing(path, part) }
}

function holdsNothing(path: string, part: Part): BlvitError {
  const expected = part === 'train' ? 'data_batch_1.bin' : 'test_batch.bin'
  return new BlvitError(
    'BAD_DATA',
    `${path} holds no CIFAR-10 pictures to ${part} with: expected members ${expected} or ${part}/<class>/<number>.jpg.`,
    { path },
  )
}
