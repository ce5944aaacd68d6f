import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import { cifarPictures, recordBytes } from '../cifar-records.js'
import type { Classes, DataFormat, DataItem, DataSet } from '../data-set.js'
import { entriesOf, isFolder, pictureExtensions } from '../find-files.js'
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
  open: openCifar10,
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
    // the official archive has two texts besides
    if (!/\.(txt|html)$/.test(name)) return false
  }
  return false
}

async function openCifar10(path: string, classes: Classes): Promise<DataSet> {
  const { whole, part } = partOf(path) ?? { whole: path, part: undefined }
  const numbers = classNumbers(path, classes)
  if (isBatchFile(path)) return batchFileSet(path, [path], numbers)
  if (part === undefined) {
    const message = `${path} holds CIFAR-10's pictures to train on and those to test with. Name one: ${path}/train or ${path}/test.`
    throw new BlvitError('BAD_DATA', message, { path })
  }
  if (isArchive(whole)) return archiveSet(whole, part, numbers)
  const files = (await batchFilesIn(whole)).filter((file) => batchFiles[part].test(file))
  if (files.length === 0)
    throw new BlvitError('NOT_FOUND', `${whole} holds no CIFAR-10 batches to ${part} with.`)
  const paths = files.map((file) => join(whole, file))
  return batchFileSet(path, paths, numbers)
}

type ClassNumbers = readonly (number | undefined)[]

/** By name; a model whose ten classes have none, as `blvit init` makes it, takes the official numbers. */
function classNumbers(path: string, classes: Classes): ClassNumbers {
  const where = `${path} (CIFAR-10)`
  const official = classNames.map((_, number) => number)
  const isUnnamed = (number: number) => {
    try {
      return classes.find(`class ${number}`, where) === number
    } catch (thrown) {
      if (thrown instanceof BlvitError) return false
      throw thrown
    }
  }
  if (classes.count === classNames.length && official.every(isUnnamed)) return official
  return classNames.map((name) => classes.find(name, where))
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
    size: sizes.reduce((sum, sizeBytes) => sum + Math.ceil(sizeBytes / recordBytes), 0),
    async *items({ signal } = {}) {
      for (const [index, path] of paths.entries()) {
        // whole records, some at a time
        const pieces = createReadStream(path, { highWaterMark: 100 * recordBytes })
        const file = { name: basename(path), path, sizeBytes: sizes[index] as number, pieces }
        for await (const item of cifarPictures(file, classes)) {
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
    const isPicture = memberPart === part && pictureExtensions.has(extname(member).toLowerCase())
    const isBatch = batchFiles[part].test(basename(member))
    // an error without a member's name is the archive's own: it is damaged or was cut off
    if (content instanceof BlvitError) {
      if (isPicture || isBatch || member === '') yield { name, error: content, readShare }
    } else if (isPicture) {
      count += 1
      yield { name, source: content, label: classes[classNames.indexOf(className)], readShare }
    } else if (isBatch) {
      const file = { name, path: `${path}, member ${member}`, sizeBytes: content.length, pieces: [content] }
      for await (const item of cifarPictures(file, classes)) {
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
