import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { throwIfAborted } from '../base/blvit-error.js'
import type { BadSample, DataSet, Sample } from './data-set.js'

/** A picture file with its label. */
export type FileSample = Sample & { readonly source: string }

/** A data set of files whose list is known before the first is read. */
export function fileSamples(
  name: string,
  list: readonly (FileSample | BadSample)[],
  { labelRule, notes }: Pick<DataSet, 'labelRule' | 'notes'> = {},
): DataSet {
  return {
    ...{ name, labelRule, notes },
    size: list.length,
    async *items({ signal } = {}) {
      for (const [index, item] of list.entries()) {
        throwIfAborted(signal)
        yield { ...item, readShare: (index + 1) / list.length }
      }
    },
    async fingerprint() {
      const hash = createHash('sha256')
      for (const item of list) {
        const sizeBytes =
          'source' in item ? ((await stat(item.source).catch(() => undefined))?.size ?? -1) : -1
        const label = 'source' in item ? item.label : item.error.code
        hash.update(`${JSON.stringify([item.name, label ?? null, sizeBytes])}\n`)
      }
      return hash.digest('hex')
    },
  }
}
