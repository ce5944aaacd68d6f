import { constants, existsSync } from 'node:fs'
import { access, mkdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { BlvitError, fileReason } from '../base/blvit-error.js'
import { replaceFile } from './replace-file.js'

/**
 * Complains now about a file that can't be written later, so that no work is lost.
 * @throws BlvitError `WRITE_FAILED`
 */
export async function checkWritable(path: string): Promise<void> {
  const target = resolve(path)
  const folder = dirname(target)
  const there = await stat(target).catch(() => undefined)
  if (there && !there.isFile()) {
    const kind = there.isDirectory() ? 'a folder' : 'not a plain file'
    throw new BlvitError('WRITE_FAILED', `Can't write ${target}: it is ${kind}. Give the name of a file.`, {
      path: target,
    })
  }
  const parent = await stat(folder).catch(() => undefined)
  if (!parent?.isDirectory()) {
    const reason = parent ? 'is not a folder' : "doesn't exist"
    throw new BlvitError(
      'WRITE_FAILED',
      `Can't write ${target}: ${folder} ${reason}. Make the folder first.`,
      {
        path: target,
      },
    )
  }
  try {
    await access(folder, constants.W_OK)
  } catch (cause) {
    throw new BlvitError(
      'WRITE_FAILED',
      `Can't write ${target}: ${fileReason(cause)}. Choose another folder.`,
      { path: target },
      { cause },
    )
  }
}

/**
 * A file of another ending is more likely something else that would be lost.
 * @throws BlvitError `BAD_OPTION`
 */
export function assertEnding(option: string, path: string, ending: string): void {
  if (path.toLowerCase().endsWith(ending)) return
  throw new BlvitError(
    'BAD_OPTION',
    `${option} is "${path}"; the name of what is written there must end in ${ending}.`,
    {
      path,
    },
  )
}

/** What a path leads to, links followed; for a file that isn't there yet, where it would be. */
async function realPathOf(path: string): Promise<string> {
  const target = resolve(path)
  try {
    return await realpath(target)
  } catch {
    const folder = await realpath(dirname(target)).catch(() => dirname(target))
    return join(folder, basename(target))
  }
}

/**
 * Complains about an output that would take the place of something that is read, by whatever name or link.
 * @param inputs files that are read; where one is a folder, `labels.csv` in it counts
 * @throws BlvitError `BAD_OPTION`
 */
export async function assertNotInput(output: string, inputs: readonly string[]): Promise<void> {
  const target = await realPathOf(output)
  for (const input of inputs.flatMap((path) => [path, join(path, 'labels.csv')])) {
    if ((await realPathOf(input)) !== target) continue
    throw new BlvitError(
      'BAD_OPTION',
      `${output} is read by this command: writing it would destroy an input. Give another name.`,
      { path: output },
    )
  }
}

/** Makes a folder, and those above it, unless it is there. @throws BlvitError `WRITE_FAILED` */
export async function makeFolder(path: string): Promise<void> {
  // Only where it is missing: on /proc a recursive mkdir of Node never returns.
  if (existsSync(path)) return
  try {
    await mkdir(path, { recursive: true })
  } catch (cause) {
    const message = `Can't make the folder ${path}: ${fileReason(cause)}. Choose another place.`
    throw new BlvitError('WRITE_FAILED', message, { path }, { cause })
  }
}

/** Writes a file whole or not at all. @throws BlvitError `WRITE_FAILED` */
export function writeWholeFile(path: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return replaceFile(path, onePiece(bytes))
}

async function* onePiece(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}
