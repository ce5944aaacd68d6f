import type { Dirent } from 'node:fs'
import { open, readdir, readlink, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { BlvitError, fileReason } from '../base/blvit-error.js'
import { explainFileError } from '../image/node/image-source.js'
import {
  formatByContent,
  formatByName,
  isOpenByName,
  isSystemName,
  startBytes,
} from '../image/picture-formats.js'
import type { BadSample } from './data-set.js'

/** What a folder and the folders in it hold. Paths are relative to it, with `/` on every system. */
export interface FoundPictures {
  /** Sorted. Those that can't be decoded, too: who reads them is told why. */
  readonly files: readonly string[]
  /** The folders in it, without those in them, sorted. */
  readonly folders: readonly string[]
  /** Links that lead nowhere and folders that can't be read, sorted. */
  readonly bad: readonly BadSample[]
  /** For people: what was passed over. */
  readonly notes: readonly string[]
}

/**
 * Finds the pictures of a folder and of the folders in it: files whose name ends as a picture's, and those whose name says
 * nothing and whose content is a picture's. Hidden files and those of systems (`._*`, `__MACOSX`, …) don't count.
 *
 * Links to files are followed. A link to a folder is followed where it leads out of the searched folder, and only to a folder
 * that wasn't searched yet: what lies in the searched folder counts where it lies, and nothing counts twice.
 * @throws BlvitError `NOT_FOUND` if the folder itself can't be read
 */
export async function findPictures(folder: string): Promise<FoundPictures> {
  const walk = new Walk(
    folder,
    await realpath(folder).catch((cause) => Promise.reject(unreadable(folder, cause))),
  )
  return walk.run()
}

class Walk {
  private readonly files: string[] = []
  private readonly folders: string[] = []
  private readonly bad: BadSample[] = []
  private readonly others: string[] = []
  private readonly circular: string[] = []
  /** Folders in the order in which they are searched; it grows while they are. */
  private readonly toSearch: [path: string, real: string][] = []
  /** Their real paths. */
  private readonly claimed = new Set<string>()

  constructor(
    private readonly folder: string,
    private readonly root: string,
  ) {}

  async run(): Promise<FoundPictures> {
    this.claim('', this.root)
    // The upper folders first: what lies in a class folder of its own belongs to no other, whatever links to it.
    for (const [path, real] of this.toSearch) await this.search(path, real)
    const byName = (a: BadSample, b: BadSample) => (a.name < b.name ? -1 : 1)
    return {
      files: this.files.sort(),
      folders: this.folders.sort(),
      bad: this.bad.sort(byName),
      notes: this.notes(),
    }
  }

  /** @param path relative to the folder @param real where it lies */
  private claim(path: string, real: string): void {
    if (this.claimed.has(real)) return
    this.claimed.add(real)
    this.toSearch.push([path, real])
    if (path !== '' && !path.includes('/')) this.folders.push(path)
  }

  private async search(path: string, real: string): Promise<void> {
    let entries: Dirent[]
    try {
      entries = await readdir(real, { withFileTypes: true })
    } catch (cause) {
      const error = unreadable(join(this.folder, path), cause)
      if (path === '') throw error
      this.bad.push({ name: path, error })
      return
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (isSystemName(entry.name)) continue
      const below = path === '' ? entry.name : `${path}/${entry.name}`
      const realBelow = join(real, entry.name)
      if (entry.isSymbolicLink()) await this.follow(below, realBelow)
      else if (entry.isDirectory()) this.claim(below, realBelow)
      else await this.take(below, realBelow, entry.isFile())
    }
  }

  private async follow(path: string, link: string): Promise<void> {
    try {
      const target = await stat(link)
      if (!target.isDirectory()) return await this.take(path, link, target.isFile())
    } catch (cause) {
      if (formatByName(path) || isOpenByName(path)) {
        this.bad.push({ name: path, error: await explainFileError(join(this.folder, path), cause) })
      } else this.others.push(path)
      return
    }
    const real = await realpath(link)
    if (this.leadsBack(real, link)) this.circular.push(`${path} (to ${await readlink(link)})`)
    else this.claim(path, real)
  }

  /** Is a folder searched without this link, or does it hold the link or the folder that is searched? */
  private leadsBack(real: string, link: string): boolean {
    if (this.claimed.has(real) || contains(real, link) || contains(real, this.root)) return true
    if (!contains(this.root, real)) return false
    return !relative(this.root, real).split(sep).some(isSystemName)
  }

  private async take(path: string, real: string, isFile: boolean): Promise<void> {
    if (formatByName(path)) this.files.push(path)
    else if (isFile && isOpenByName(path) && (await beginsAsPicture(real))) this.files.push(path)
    else this.others.push(path)
  }

  private notes(): string[] {
    const { folder, others, circular } = this
    return [
      ...(others.length > 0
        ? [`${folder}: passed over ${counted(others, 'file')}, no picture by name or content`]
        : []),
      ...(circular.length > 0
        ? [`${folder}: passed over ${counted(circular, 'link')} to what is searched anyway`]
        : []),
    ]
  }
}

/** `3 files (a.txt, b.txt, …)` */
function counted(names: readonly string[], what: string): string {
  const more = names.length > 3 ? ', …' : ''
  return `${names.length} ${what}${names.length === 1 ? '' : 's'} (${names.slice(0, 3).join(', ')}${more})`
}

function contains(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
}

async function beginsAsPicture(path: string): Promise<boolean> {
  try {
    const file = await open(path)
    try {
      const { bytesRead, buffer } = await file.read({
        buffer: new Uint8Array(startBytes),
        length: startBytes,
      })
      return formatByContent(buffer.subarray(0, bytesRead)) !== undefined
    } finally {
      await file.close()
    }
  } catch {
    return false
  }
}

function unreadable(folder: string, cause: unknown): BlvitError {
  return new BlvitError(
    'NOT_FOUND',
    `The folder ${folder} can't be read: ${fileReason(cause)}.`,
    { path: folder },
    { cause },
  )
}
