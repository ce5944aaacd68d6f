import type { GemmSize } from './messages.js'

/** The matrix products that a big ViT at batch 8 consists of: what a machine can do at best, not on paper. */
export const machineGemms: readonly GemmSize[] = [
  { rows: 1576, inner: 768, columns: 3072 },
  { rows: 1576, inner: 3072, columns: 768 },
  { rows: 1536, inner: 1536, columns: 1536 },
]

/** Multiply-adds of a product. */
export function gemmWork({ rows, inner, columns }: GemmSize): number {
  return rows * inner * columns
}
