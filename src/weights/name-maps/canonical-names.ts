import { defined } from '../../base/assert.js'
import type { StoredTensors } from '../stored-tensor.js'
import { nameMaps } from './index.js'
import { toTimm } from './to-timm.js'
import { wrapperPrefix } from './wrapper-prefix.js'

/** Tensors under timm's names. */
export interface CanonicalTensors {
  readonly tensors: StoredTensors
  /** Whose names they had: `timm`, `huggingface-vit`, `huggingface-deit`. */
  readonly dialect: string
  /** Names, as stored, of tensors that no model here needs. */
  readonly ignored: readonly string[]
}

/**
 * Renames tensors to timm's names, whatever dialect they are in, without reading one. Prefixes of training
 * frameworks (`model.`, `module.`) come off; names that no rule knows stay as they are.
 * @throws BlvitError `BAD_WEIGHTS` if parts of a packed tensor are missing, don't fit, or two take one name
 */
export function canonicalNames(stored: StoredTensors): CanonicalTensors {
  const wrapper = wrapperPrefix([...stored.keys()])
  const unwrapped = new Map([...stored].map(([name, tensor]) => [name.slice(wrapper.length), tensor]))
  const names = [...unwrapped.keys()]
  const map = defined(
    nameMaps.find(({ detect }) => detect(names)),
    'the timm name map, which takes anything',
  )
  const { tensors, ignored } = toTimm(unwrapped, { map })
  return { tensors, dialect: map.dialect, ignored: ignored.map((name) => wrapper + name) }
}
