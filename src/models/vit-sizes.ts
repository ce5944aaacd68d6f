/** The sizes that "tiny" … "huge" stand for in timm, DeiT and the papers. */
export interface VitSize {
  readonly width: number
  readonly depth: number
  readonly heads: number
}

export const vitSizes = {
  tiny: { width: 192, depth: 12, heads: 3 },
  small: { width: 384, depth: 12, heads: 6 },
  base: { width: 768, depth: 12, heads: 12 },
  large: { width: 1024, depth: 24, heads: 16 },
  huge: { width: 1280, depth: 32, heads: 16 },
} as const satisfies Record<string, VitSize>
