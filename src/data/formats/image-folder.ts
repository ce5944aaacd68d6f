import { join } from 'node:path'
import { BlvitError } from '../../base/blvit-error.js'
import type { BadSample, Classes, DataFormat, DataSet } from '../data-set.js'
import { type FileSample, fileSamples } from '../file-samples.js'
import { entriesOf, isFolder, pictureExtensions, picturesBelow } from '../find-files.js'

/** A folder with a folder of pictures for each class; without any such folder, pictures that nobody labelled. */
export const imageFolder: DataFormat = {
  name: 'image folder',
  looks: 'a folder with a folder of pictures for each class',
  recognises: isFolder,
  open: openImageFolder,
}

async function openImageFolder(folder: string, classes: Classes): Promise<DataSet> {
  const entries = await entriesOf(folder)
  const visible = entries.filter(({ name }) => !name.startsWith('.'))
  const folders: string[] = []
  for (const { name } of visible) if (await isFolder(join(folder, name))) folders.push(name)
  folders.sort()
  const files = await picturesBelow(folder)
  if (files.length === 0) {
    throw new BlvitError(
      'NOT_FOUND',
      `${folder} holds no pictures (looked for ${[...pictureExtensions].join(' ')} in its folders).`,
    )
  }
  if (folders.length === 0) {
    return fileSamples(
      folder,
      files.map((file) => ({ name: file, source: join(folder, file) })),
    )
  }
  const inFolder = new Map(folders.map((name): [string, string[]] => [name, []]))
  for (const file of files) inFolder.get(file.slice(0, Math.max(0, file.indexOf('/'))))?.push(file)
  const labelled = labelledBy(folder, inFolder, classes)
  const others = files.filter((file) => !file.includes('/'))
  if (classes.count === 0) {
    const unlabelled = others.map((file) => ({ name: file, source: join(folder, file) }))
    return fileSamples(folder, interleaved([...labelled, unlabelled]))
  }
  return fileSamples(folder, [
    ...interleaved(labelled),
    ...emptyFolders(folder, inFolder),
    ...outside(folder, others),
  ])
}

/** Folder names and the pictures below them, relative to the data's folder. */
type FilesInFolders = ReadonlyMap<string, readonly string[]>

/** One list for each class folder. @throws BlvitError `BAD_DATA` naming every folder that is no class */
function labelledBy(folder: string, inFolder: FilesInFolders, classes: Classes): FileSample[][] {
  const complaints: string[] = []
  const lists = [...inFolder].map(([name, files]): FileSample[] => {
    try {
      const label = classes.find(name, `class folder ${join(folder, name)}`)
      return files.map((file) => ({ name: file, source: join(folder, file), label }))
    } catch (thrown) {
      if (!(thrown instanceof BlvitError)) throw thrown
      complaints.push(thrown.message)
      return []
    }
  })
  if (complaints.length > 0) throw badFolders(complaints)
  return lists
}

const shownComplaints = 5

function badFolders(complaints: readonly string[]): BlvitError {
  const more = complaints.length - shownComplaints
  const shown = complaints.slice(0, shownComplaints).join('\n')
  return new BlvitError('BAD_DATA', more > 0 ? `${shown}\n… and ${more} more.` : shown, {
    folders: complaints.length,
  })
}

/** The first of each list, the second of each, …: any beginning is a fair sample of the classes. */
function interleaved<Item>(lists: readonly (readonly Item[])[]): Item[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  return Array.from({ length: longest }, (_, row) => lists.flatMap((list) => list.slice(row, row + 1))).flat()
}

function emptyFolders(folder: string, inFolder: FilesInFolders): BadSample[] {
  return [...inFolder]
    .filter(([, files]) => files.length === 0)
    .map(([name]) => ({
      name,
      error: new BlvitError('BAD_DATA', `The class folder ${join(folder, name)} holds no pictures.`),
    }))
}

function outside(folder: string, files: readonly string[]): BadSample[] {
  return files.map((name) => ({
    name,
    error: new BlvitError(
      'BAD_DATA',
      `${join(folder, name)} lies outside the class folders: its class is unknown.`,
    ),
  }))
}
