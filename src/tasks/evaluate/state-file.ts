import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { BlvitError, messageOf } from '../../base/blvit-error.js'
import { assertSameRun, type RunIdentity, runIdentitySchema } from '../../base/run-identity.js'
import { checkWritable, writeWholeFile } from '../../files/output-files.js'
import { type PictureOutcome, pictureOutcomeSchema } from './picture-outcome.js'

const format = 'blvit evaluation 1'
const headSchema = z.object({ format: z.literal(format), identity: runIdentitySchema })
const recordSchema = z.object({ batch: z.int(), outcomes: z.array(pictureOutcomeSchema) })

/**
 * What is done of an evaluation, one line a batch, in a file that is only appended to. Each line begins with a
 * checksum: a kill while writing leaves at most a last line that doesn't match, and that batch is done again.
 */
export class StateFile implements AsyncDisposable {
  private constructor(
    readonly path: string,
    /** What earlier runs have done, in order. */
    readonly outcomes: readonly PictureOutcome[],
    private batches: number,
    private readonly file: FileHandle,
  ) {}

  /**
   * Opens the state of an evaluation, or begins one.
   * @throws BlvitError `BAD_OPTION` if the file is something else or of another evaluation, `WRITE_FAILED`
   */
  static async open(path: string, identity: RunIdentity): Promise<StateFile> {
    await checkWritable(path)
    const text = await readOptional(path)
    const head = lineOf({ format, identity })
    // Whole or not at all, so a state file never lacks the line that says what it is of.
    if (text === '') await writeWholeFile(path, head)
    else checkHead(path, text.slice(0, text.indexOf('\n') + 1), identity)
    const { outcomes, batches, sizeBytes } = readRecords(text === '' ? head : text)
    try {
      const file = await open(path, 'r+')
      await file.truncate(sizeBytes)
      await file.close()
      return new StateFile(path, outcomes, batches, await open(path, 'a'))
    } catch (cause) {
      throw writeFailed(path, cause)
    }
  }

  /** Adds a batch. @throws BlvitError `WRITE_FAILED`, e.g. when the disk is full */
  async append(outcomes: readonly PictureOutcome[]): Promise<void> {
    const line = lineOf({ batch: this.batches, outcomes })
    this.batches += 1
    try {
      await this.file.appendFile(line)
    } catch (cause) {
      throw writeFailed(this.path, cause)
    }
  }

  /** Deletes the file. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close()
  }
}

/** A place in the user's cache that no other evaluation has. Makes the folder. @throws BlvitError `WRITE_FAILED` */
export async function defaultStatePath(identity: RunIdentity): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const folder = join(cache, 'blvit', 'evaluations')
  const path = join(folder, `${checksum(JSON.stringify(identity))}.state`)
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    throw writeFailed(path, cause)
  }
  return path
}

async function readOptional(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new BlvitError('NOT_FOUND', `${path} can't be read: ${messageOf(cause)}.`, { path }, { cause })
  }
}

function lineOf(content: unknown): string {
  const json = JSON.stringify(content)
  return `${checksum(json)} ${json}\n`
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** @returns undefined for a line that wasn't written whole */
function contentOf(line: string): unknown {
  const json = line.slice(13, -1)
  return line.endsWith('\n') && line.slice(0, 12) === checksum(json) ? JSON.parse(json) : undefined
}

function checkHead(path: string, line: string, identity: RunIdentity): void {
  const head = headSchema.safeParse(contentOf(line))
  if (!head.success) {
    throw new BlvitError(
      'BAD_OPTION',
      `${path} is no state file of "blvit eval", and is left as it is. Name a file that doesn't exist yet.`,
      { path },
    )
  }
  const identities = { found: head.data.identity, wanted: identity }
  assertSameRun(path, identities, {
    is: 'is the state of another evaluation',
    advice: 'Repeat that command to go on with it, or name another state file.',
  })
}

function readRecords(text: string): { outcomes: PictureOutcome[]; batches: number; sizeBytes: number } {
  const outcomes: PictureOutcome[] = []
  let batches = 0
  let end = text.indexOf('\n') + 1
  for (;;) {
    const next = text.indexOf('\n', end) + 1
    const record = recordSchema.safeParse(contentOf(next === 0 ? '' : text.slice(end, next)))
    if (!record.success || record.data.batch !== batches) break
    outcomes.push(...record.data.outcomes)
    batches += 1
    end = next
  }
  return { outcomes, batches, sizeBytes: Buffer.byteLength(text.slice(0, end)) }
}

function writeFailed(path: string, cause: unknown): BlvitError {
  return new BlvitError('WRITE_FAILED', `Can't write ${path}: ${messageOf(cause)}.`, { path }, { cause })
}
