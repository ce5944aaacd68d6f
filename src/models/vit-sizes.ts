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

/** What timm's architecture names say, e.g. `vit_base_patch16_224`, `deit_tiny_distilled_patch16_224`. */
export interface NamedSizes extends VitSize {
  readonly patchSize: number
  readonly imageSize: number
  readonly distilled: boolean
}

const namePattern =
  /^(?:vit|deit)_(tiny|small|base|large|huge)_(distilled_)?patch(\d+)(?:_\w+?)?_(\d+)(?:\.|$)/

/** Reads the sizes off a timm architecture name; undefined if it isn't one of a plain ViT. */
export function sizesOfName(architecture: string): NamedSizes | undefined {
  const match = namePattern.exec(architecture)
  if (!match) return undefined
  const [, size, distilled, patchSize, imageSize] = match
  return {
    ...vitSizes[size as keyof typeof vitSizes],
    patchSize: Number(patchSize),
    imageSize: Number(imageSize),
    distilled: distilled !== undefined,
  }
}
