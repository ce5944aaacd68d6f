/** What training frameworks put before a model's names: Lightning, DataParallel, torch.compile. */
const wrappers = ['model.', 'module.', '_orig_mod.'] as const

/** The wrappers' prefix that all names share, e.g. `"module.model."`; empty if they share none. */
export function wrapperPrefix(names: readonly string[]): string {
  if (names.length === 0) return ''
  let prefix = ''
  for (;;) {
    const next = wrappers.find((wrapper) => names.every((name) => name.startsWith(prefix + wrapper)))
    if (next === undefined) return prefix
    prefix += next
  }
}
