import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { BlvitError, fileReason } from '../base/blvit-error.js'
import { makeFolder, writeWholeFile } from '../files/output-files.js'

const place = { stage: z.int(), step: z.int() }
const stepSchema = z.looseObject({ ...place, loss: z.number(), learning_rate: z.number() })
const validationSchema = z.looseObject({
  ...place,
  /** `right` of `of` pictures. */
  validation: z.array(z.object({ setting: z.string(), right: z.int(), of: z.int().min(1) })),
})
const recordSchema = z.union([validationSchema, stepSchema])

/** A line of log.jsonl: a step or a validation. */
export type LogRecord = z.infer<typeof recordSchema>
export type ValidationRecord = z.infer<typeof validationSchema>

/** Where a training is, counted from stage 1 and step 0. */
export interface Progress {
  readonly stage: number
  readonly step: number
}

function isWithin({ stage, step }: LogRecord, reached: Progress): boolean {
  return stage < reached.stage || (stage === reached.stage && step <= reached.step)
}

export function validationsIn(records: readonly LogRecord[]): ValidationRecord[] {
  return records.filter((record): record is ValidationRecord => 'validation' in record)
}

/** What a killed process wrote last may be half a line. */
function recordOf(line: string): LogRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}

/** The log of a training: a line of JSON for each step and each validation. */
export class TrainingLog {
  private constructor(
    private readonly path: string,
    private readonly known: LogRecord[],
  ) {}

  /** Opens the log of a folder and leaves in it what was done before a checkpoint; the rest is done again. */
  static async open(folder: string, reached: Progress): Promise<TrainingLog> {
    const path = join(folder, 'log.jsonl')
    await makeFolder(folder)
    const text = await readFile(path, 'utf8').catch(() => '')
    // as they were written: a training that was stopped ends with the log of one that wasn't
    const kept = text.split('\n').flatMap((line) => {
      const record = recordOf(line)
      return record && isWithin(record, reached) ? [{ line, record }] : []
    })
    await writeWholeFile(path, kept.map(({ line }) => `${line}\n`).join(''))
    const records = kept.map(({ record }) => record)
    return new TrainingLog(path, records)
  }

  /** @throws BlvitError `WRITE_FAILED` */
  async append(record: LogRecord): Promise<void> {
    this.known.push(record)
    try {
      await appendFile(this.path, `${JSON.stringify(record)}\n`)
    } catch (cause) {
      const message = `Can't write ${this.path}: ${fileReason(cause)}.`
      throw new BlvitError('WRITE_FAILED', message, {}, { cause })
    }
  }

  /** Everything so far, that of earlier runs included. */
  get records(): readonly LogRecord[] {
    return this.known
  }

  get validations(): readonly ValidationRecord[] {
    return validationsIn(this.known)
  }
}
