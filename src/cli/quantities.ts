/** 99623744 → `99,623,744`, whatever the machine's language. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US')
}

/** 0.5861 → `58.6 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

/** Bytes in the steps that file managers use: 398494976 → `398.5 MB`. */
export function bytes(sizeBytes: number): string {
  if (sizeBytes >= 1e9) return `${(sizeBytes / 1e9).toFixed(2)} GB`
  if (sizeBytes >= 1e6) return `${(sizeBytes / 1e6).toFixed(1)} MB`
  return sizeBytes >= 1e3 ? `${(sizeBytes / 1e3).toFixed(1)} kB` : `${sizeBytes} B`
}

/** 9891402240 → `9.891 G`: four digits tell models apart that the papers tell apart. */
export function large(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(3)} G`
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} M`
  return count >= 1e3 ? `${(count / 1e3).toFixed(1)} k` : `${count}`
}
