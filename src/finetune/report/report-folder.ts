import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BlvitError } from '../../base/blvit-error.js'
import type { DataSet } from '../../data/data-set.js'
import { sans } from '../../drawing/node/sans.js'
import { checkWritable, makeFolder, writeWholeFile } from '../../files/output-files.js'
import { contactSheet } from './contact-sheet.js'
import { drawConfusion } from './draw-confusion.js'
import type { FinetuneReport } from './report.js'

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
      const message = `${resolve(path)} is there already. Choose another folder for the report, or have it replaced (overwrite: true, --overwrite).`
      throw new BlvitError('WRITE_FAILED', message, { path })
    }
  }
}

/**
 * The report for programs, the confusions as a drawing, and a sheet of the pictures that were taken for something else.
 * @throws BlvitError `ABORTED`
 */
export async function filesOfReport(
  report: FinetuneReport,
  dataSet: DataSet,
  signal: AbortSignal | undefined,
): Promise<ReportFiles> {
  const lettering = await sans()
  const { confusion } = report.heldOut
  const labels = report.classes.map(({ label }) => label)
  const sheet = await contactSheet(dataSet, report.mistakes, { lettering, signal })
  return {
    'report.json': `${JSON.stringify(report, null, 2)}\n`,
    ...(confusion && { 'confusion.svg': drawConfusion(labels, confusion, lettering) }),
    ...(sheet && { 'mistakes.png': sheet }),
  }
}

/** Writes each file whole or not at all. @throws BlvitError `WRITE_FAILED` */
export async function writeReport(folder: string, files: ReportFiles): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeWholeFile(join(folder, name), content)
}
