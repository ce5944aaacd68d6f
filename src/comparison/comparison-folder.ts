import { join } from 'node:path'
import { checkWritable, makeFolder, writeWholeFile } from '../files/output-files.js'
import type { Comparison } from './compare.js'
import { comparisonPlots } from './plots.js'
import { comparisonCsv, comparisonMarkdown } from './tables.js'

/** Complains before hours of work about a folder that nothing can be written to. @throws BlvitError `WRITE_FAILED` */
export async function checkComparisonFolder(folder: string): Promise<void> {
  await makeFolder(folder)
  await checkWritable(join(folder, 'comparison.json'))
}

/**
 * Writes a comparison as Markdown, CSV, JSON and pictures; each file appears whole or not at all.
 * @returns the names of the files
 * @throws BlvitError `WRITE_FAILED`
 */
export async function writeComparison(
  comparison: Comparison,
  { folder, title }: { readonly folder: string; readonly title: string },
): Promise<readonly string[]> {
  const files = {
    'comparison.md': comparisonMarkdown(comparison, { title }),
    'comparison.csv': comparisonCsv(comparison),
    'comparison.json': `${JSON.stringify(comparison, null, 2)}\n`,
    ...(await comparisonPlots(comparison)),
  }
  for (const [name, content] of Object.entries(files)) await writeWholeFile(join(folder, name), content)
  return Object.keys(files)
}
