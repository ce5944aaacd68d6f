import { join } from 'node:path'
import { BlvitError } from '../../base/blvit-error.js'
import { readExtensions } from '../../image/picture-formats.js'
import type { BadSample, DataFormat, DataSet, FoundData } from '../data-set.js'
import { type FileSample, fileSamples } from '../file-samples.js'
import { isFolder } from '../find-files.js'
import type { LabelReader } from '../label-reader.js'
import { type FoundPictures, findPictures } from '../walk-pictures.js'

/**
 * A folder with a folder of pictures for each class; without any such folder, pictures that nobody labelled. Where none of
 * the folders beside pictures holds one, they are about something else.
 */
export const imageFolder: DataFormat = {
  name: 'image folder',
  looks: 'a folder with a folder of pictures for each class',
  recognises: isFolder,
  find: findImageFolder,
}

async function findImageFolder(folder: string): Promise<FoundData> {
  const found = await findPictures(folder)
  if (found.files.length === 0 && found.bad.length === 0) {
    throw new BlvitError(
      'NOT_FOUND',
      `${folder} holds no pictures (looked for ${readExtensions.join(' ')} in its folders).`,
    )
  }
  const hasClasses = [...found.files, ...found.bad.map(({ name }) => name)].some((name) => name.includes('/'))
  const folders = hasClasses || found.files.length === 0 ? found.folders : []
  return {
    labels: folders.map((text) => ({ text, where: whereOf(folder, text) })),
    withLabels: (reader) => labelled(folder, { ...found, folders }, reader),
  }
}

function whereOf(folder: string, name: string): string {
  return `class folder ${join(folder, name)}`
}

function labelled(
  folder: string,
  { files, folders, bad, notes }: FoundPictures,
  reader: LabelReader | undefined,
): DataSet {
  const inFolder = new Map(folders.map((name): [string, string[]] => [name, []]))
  for (const file of files) inFolder.get(file.slice(0, Math.max(0, file.indexOf('/'))))?.push(file)
  const others = files.filter((file) => !file.includes('/'))
  const lists = labelledBy(folder, inFolder, reader)
  const about = { labelRule: reader?.rule, notes }
  if (reader === undefined || folders.length === 0) {
    const unlabelled = others.map((file) => ({ name: file, source: join(folder, file) }))
    return fileSamples(folder, [...interleaved([...lists, unlabelled]), ...bad], about)
  }
  const items = [
    ...interleaved(lists),
    ...emptyFolders(folder, inFolder, bad),
    ...outside(folder, others),
    ...bad,
  ]
  return fileSamples(folder, items, about)
}

/** Folder names and the pictures below them, relative to the data's folder. */
type FilesInFolders = ReadonlyMap<string, readonly string[]>

/** One list for each class folder. @throws BlvitError `BAD_DATA` naming every folder that is no class */
function labelledBy(
  folder: string,
  inFolder: FilesInFolders,
  reader: LabelReader | undefined,
): FileSample[][] {
  const complaints: string[] = []
  const lists = [...inFolder].map(([name, files]): FileSample[] => {
    try {
      const label = reader?.classOf({ text: name, where: whereOf(folder, name) })
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

/** @param bad what is told anyway, e.g. of a folder that can't be read */
function emptyFolders(folder: string, inFolder: FilesInFolders, bad: readonly BadSample[]): BadSample[] {
  return [...inFolder]
    .filter(([name, files]) => files.length === 0 && !bad.some((item) => item.name === name))
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
