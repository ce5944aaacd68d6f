import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BlvitError } from '../../base/blvit-error.js'
import { checkWritable, makeFolder, writeWholeFile } from '../../files/output-files.js'

/** Files of a report, by name. */
export type ReportFiles = Readonly<Record<string, Uint8Array | string>>

/** Every name that a report may have files of. */
const reportNames = ['report.json', 'confusion.svg', 'mistakes.png'] as const

/**
 * Complains before hours of work about a folder that the report can't be written to.
 * @throws BlvitError `WRITE_FAILED`
 */
export async function checkReportFolder(folder: string, overwrite: boolean): Promise<void> {
  await makeFolder(folder)
  for (const name of reportNames) {
    const path = join(folder, name)
    await checkWritable(path)
    if (!overwrite && existsSync(path)) {
      const message = `${resolve(path)} is there already. Choose another folder for the report, or --overwrite.`
      throw new BlvitError('WRITE_FAILED', message, { path })
    }
  }
}

/** Writes each file whole or not at all. @throws BlvitError `WRITE_FAILED` */
export async function writeReport(folder: string, files: ReportFiles): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeWholeFile(join(folder, name), content)
}
