/** Rows × inner → columns: a matrix product alone, to measure what the machine can do. */
export interface GemmSize {
  readonly rows: number
  readonly inner: number
  readonly columns: number
}

/** The matrix products that a big ViT at batch 8 consists of: what a machine can do at best, not on paper. */
export const machineGemms: readonly GemmSize[] = [
  { rows: 1576, inner: 768, columns: 3072 },
  { rows: 1576, inner: 3072, columns: 768 },
  { rows: 1536, inner: 1536, columns: 1536 },
]

/** Multiply-adds of a product. */
function gemmWork({ rows, inner, columns }: GemmSize): number {
  return rows * inner * columns
}

/** Enough multiply-adds in one run that starting it takes no noticeable part of its time. */
const enoughWork = 5e8

/** How often a run repeats a product, each time with other weights as in a model. */
export function repeatsOf(size: GemmSize): number {
  return Math.min(64, Math.ceil(enoughWork / gemmWork(size)))
}

/** 10⁹ floating-point operations a second, two for each multiply-add. @param ms of one product */
export function gemmGflops(size: GemmSize, ms: number): number {
  return (2 * gemmWork(size)) / (1e6 * ms)
}
