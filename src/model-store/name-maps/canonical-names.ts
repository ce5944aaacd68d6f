import type { NameMap } from '../../models/name-map.js'
import type { StoredTensors } from '../../weights/stored-tensor.js'
import { rename } from './rename.js'

/** Tensors under our names, which are timm's where timm has one. */
export interface CanonicalTensors {
  readonly tensors: StoredTensors
  /** Whose names they had: `huggingface`, …; `timm` where no map knows them. */
  readonly dialect: string
  /** Names, as stored, of tensors that no model here needs. */
  readonly ignored: readonly string[]
}

/** What training frameworks put before a model's names: Lightning, DataParallel, torch.compile. */
const wrappers = ['model.', 'module.', '_orig_mod.'] as const

/** The wrappers' prefix that all names share, e.g. `"module.model."`; empty if they share none. */
function wrapperPrefix(names: readonly string[]): string {
  if (names.length === 0) return ''
  let prefix = ''
  for (;;) {
    const next = wrappers.find((wrapper) => names.every((name) => name.startsWith(prefix + wrapper)))
    if (next === undefined) return prefix
    prefix += next
  }
}

/**
 * Renames tensors to our names, whatever dialect they are in, without reading one. Prefixes of training
 * frameworks (`model.`, `module.`) come off; names that no rule knows stay as they are.
 * @param maps the dialects of the model's family; the first that detects its names counts
 * @throws BlvitError `BAD_WEIGHTS` if parts of a packed tensor are missing, don't fit, or two take one name
 */
export function canonicalNames(stored: StoredTensors, maps: readonly NameMap[]): CanonicalTensors {
  const wrapper = wrapperPrefix([...stored.keys()])
  const unwrapped = new Map([...stored].map(([name, tensor]) => [name.slice(wrapper.length), tensor]))
  const names = [...unwrapped.keys()]
  const map = maps.find(({ detect }) => detect(names))
  if (!map) return { tensors: unwrapped, dialect: 'timm', ignored: [] }
  const { tensors, ignored } = rename(unwrapped, { map })
  return { tensors, dialect: map.dialect, ignored: ignored.map((name) => wrapper + name) }
}
