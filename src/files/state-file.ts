import { createHash } from 'node:crypto'
import { type FileHandle, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { BlvitError, fileReason } from '../base/blvit-error.js'
import { assertSameRun, type RunIdentity, runIdentitySchema } from '../base/run-identity.js'
import { cacheFolder } from './cache-folder.js'
import { checkWritable, writeWholeFile } from './output-files.js'

/** What a state file holds. */
export interface StateKind<Outcome, Report = unknown> {
  /** Of what: `evaluation`. */
  readonly name: string
  /** The command that makes such files. */
  readonly command: string
  /** Of one item. */
  readonly outcome: z.ZodType<Outcome>
  /** What a finished run says besides. */
  readonly report: z.ZodType<Report>
}

/** What a state file says, to who only reads it. */
export interface KeptState<Outcome, Report> {
  readonly path: string
  readonly identity: RunIdentity
  readonly outcomes: readonly Outcome[]
  /** Undefined: the run isn't finished, or the file is damaged after these outcomes. */
  readonly report: Report | undefined
}

const headSchema = z.object({ format: z.string(), identity: runIdentitySchema })

function formatOf({ name }: Pick<StateKind<unknown>, 'name'>): string {
  return `blvit ${name} 2`
}

/**
 * What is done of a long run over many items, one line a batch, in a file that is only appended to. Each line begins with a
 * checksum: a kill while writing leaves at most a last line that doesn't match, and that batch is done again.
 */
export class StateFile<Outcome, Report = unknown> implements AsyncDisposable {
  private constructor(
    readonly path: string,
    /** What earlier runs have done, in order. */
    readonly outcomes: readonly Outcome[],
    private batches: number,
    /** As far as this process knows. */
    private sizeBytes: number,
    private readonly file: FileHandle,
    private readonly kind: StateKind<Outcome, Report>,
  ) {}

  /**
   * Opens the state of a run, or begins one.
   * @throws BlvitError `BAD_OPTION` if the file is something else or of another run, `WRITE_FAILED`
   */
  static async open<Outcome, Report>(
    path: string,
    identity: RunIdentity,
    kind: StateKind<Outcome, Report>,
  ): Promise<StateFile<Outcome, Report>> {
    await checkWritable(path)
    const bytes = (await readOptional(path)) ?? Buffer.alloc(0)
    const head = lineOf({ format: formatOf(kind), identity })
    // Whole or not at all, so a state file never lacks the line that says what it is of.
    if (bytes.length === 0) await writeWholeFile(path, head)
    else checkHead(path, anyHeadOf(bytes), identity, kind)
    const { outcomes, batches, sizeBytes } = readRecords(bytes.length === 0 ? Buffer.from(head) : bytes, kind)
    try {
      const file = await open(path, 'r+')
      await file.truncate(sizeBytes).finally(() => file.close())
      return new StateFile(path, outcomes, batches, sizeBytes, await open(path, 'a'), kind)
    } catch (cause) {
      throw writeFailed(path, cause)
    }
  }

  /** Adds a batch. @throws BlvitError `WRITE_FAILED`, e.g. when the disk is full */
  async append(outcomes: readonly Outcome[]): Promise<void> {
    const { outcome } = this.kind
    await this.write({ batch: this.batches, outcomes: outcomes.map((one) => z.encode(outcome, one)) })
    this.batches += 1
  }

  /** Says that all is done. A run that opens the file again writes it anew. @throws BlvitError `WRITE_FAILED` */
  async end(report: Report): Promise<void> {
    await this.write({ end: z.encode(this.kind.report, report) })
    await this.file.sync()
  }

  private async write(content: unknown): Promise<void> {
    const line = Buffer.from(lineOf(content))
    try {
      if ((await this.file.stat()).size !== this.sizeBytes) throw sharedBy(this.path, this.kind)
      await this.file.appendFile(line)
      this.sizeBytes += line.byteLength
    } catch (cause) {
      if (cause instanceof BlvitError) throw cause
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

/** The same run twice at once: of two that append, one goes on. */
function sharedBy(path: string, { name }: Pick<StateKind<unknown>, 'name'>): BlvitError {
  const message =
    `Can't write ${path}: another process is at the same ${name} and has written to it. ` +
    'Let it end, or name another state file.'
  return new BlvitError('WRITE_FAILED', message, { path })
}

/** A place in the user's cache that no other run has. Makes the folder. @throws BlvitError `WRITE_FAILED` */
export async function defaultStatePath(
  identity: RunIdentity,
  { name }: Pick<StateKind<unknown>, 'name'>,
): Promise<string> {
  return join(await cacheFolder(`${name}s`), `${checksum(JSON.stringify(identity))}.state`)
}

// Bytes, because a text has at most 2²⁹ characters and the state of a long run may be larger.
async function readOptional(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new BlvitError('NOT_FOUND', `${path} can't be read: ${fileReason(cause)}.`, { path }, { cause })
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

interface Head {
  readonly format: string
  readonly identity: RunIdentity
}

/** @returns undefined for what is no state file */
function anyHeadOf(bytes: Buffer): Head | undefined {
  return headSchema.safeParse(contentOf(bytes.toString('utf8', 0, bytes.indexOf(newline) + 1))).data
}

function checkHead(
  path: string,
  head: Head | undefined,
  identity: RunIdentity,
  kind: StateKind<unknown>,
): void {
  if (head?.format !== formatOf(kind)) {
    throw new BlvitError(
      'BAD_OPTION',
      `${path} is no state file of "${kind.command}", and is left as it is. Name a file that doesn't exist yet.`,
      { path },
    )
  }
  const identities = { found: head.identity, wanted: identity }
  assertSameRun(path, identities, {
    is: `is the state of another ${kind.name}`,
    advice: 'Repeat that command to go on with it, or name another state file.',
  })
}

/**
 * Reads a state file, which stays as it is.
 * @returns undefined for a file that is something else
 * @throws BlvitError `NOT_FOUND`
 */
export async function readState<Outcome, Report>(
  path: string,
  kind: StateKind<Outcome, Report>,
): Promise<KeptState<Outcome, Report> | undefined> {
  const bytes = await readOptional(path)
  if (!bytes) throw new BlvitError('NOT_FOUND', `There is no file ${path}.`, { path })
  const head = anyHeadOf(bytes)
  if (head?.format !== formatOf(kind)) return undefined
  const { outcomes, report } = readRecords(bytes, kind)
  return { path, identity: head.identity, outcomes, report }
}

const newline = 0x0a

function readRecords<Outcome, Report>(
  bytes: Buffer,
  { outcome, report: reportSchema }: StateKind<Outcome, Report>,
): { outcomes: Outcome[]; batches: number; sizeBytes: number; report: Report | undefined } {
  const recordSchema = z.object({ batch: z.int(), outcomes: z.array(outcome) })
  const outcomes: Outcome[] = []
  let batches = 0
  let end = bytes.indexOf(newline) + 1
  for (;;) {
    const next = bytes.indexOf(newline, end) + 1
    const content = next === 0 ? undefined : contentOf(bytes.toString('utf8', end, next))
    const record = recordSchema.safeParse(content)
    if (!record.success || record.data.batch !== batches) {
      const last = next === bytes.length ? z.object({ end: reportSchema }).safeParse(content) : undefined
      return { outcomes, batches, sizeBytes: end, report: last?.data?.end }
    }
    for (const one of record.data.outcomes) outcomes.push(one)
    batches += 1
    end = next
  }
}

function writeFailed(path: string, cause: unknown): BlvitError {
  return new BlvitError('WRITE_FAILED', `Can't write ${path}: ${fileReason(cause)}.`, { path }, { cause })
}
