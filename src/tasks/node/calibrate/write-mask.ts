import { writeWholeFile } from '../../../files/output-files.js'
import { keptPatches } from '../../../reduction/atf.js'
import { readTokenMask, type TokenMaskJson } from '../../../reduction/token-mask.js'

/** What a file of a mask says, in numbers. */
export interface MaskSummary {
  readonly grid: { readonly rows: number; readonly columns: number }
  /** Patches that stay; null: no region of that kind. */
  readonly static: number | null
  readonly objects: number | null
  /** Of both. */
  readonly kept: number
}

function ones(rows: readonly string[] | null): number | null {
  return rows && Array.from(rows.join('')).filter((bit) => bit === '1').length
}

/** Numbers side by side: there are hundreds. */
function textOf(mask: TokenMaskJson): string {
  const text = JSON.stringify(mask, null, 2)
  return `${text.replace(/\[[-\d.e,\s]+\]/g, (numbers) => numbers.replace(/\s+/g, ' '))}\n`
}

/**
 * Writes a mask, whole or not at all.
 * @throws BlvitError `BAD_OPTION` for a mask of nothing, `WRITE_FAILED`
 */
export async function writeTokenMask(path: string, mask: TokenMaskJson): Promise<MaskSummary> {
  const kept = keptPatches(readTokenMask(mask, path)).filter(Boolean).length
  await writeWholeFile(path, textOf(mask))
  return { grid: mask.grid, static: ones(mask.static), objects: ones(mask.objects), kept }
}
