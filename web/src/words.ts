/** `13.1 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** `85.9 %` */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** `0.84 G` multiply-adds */
export function billions(count: number): string {
  return `${(count / 1e9).toFixed(2)} G`
}

/** `26.3 ms` */
export function milliseconds(elapsedMs: number): string {
  // number and unit stay in one line
  return `${elapsedMs.toFixed(1)}\u00a0ms`
}

/** The first of the names of a class: ImageNet's have several, with commas between. */
export function shortLabel(label: string): string {
  return label.split(',')[0] ?? label
}
