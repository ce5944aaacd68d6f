/** How pictures are brought to a model that cuts out things, and how its masks come back. */
export interface MaskFrame {
  /** What it is fed with, in pixels. */
  readonly height: number
  readonly width: number
  /** Width, rows and columns of an embedding. */
  readonly embedding: readonly [number, number, number]
  /** Sides of its masks before they are brought to a picture's size. */
  readonly maskRows: number
  readonly maskColumns: number
  /**
   * `pad`: the longest side becomes the frame's (Pillow's bilinear filter), zeros to the right and below after the
   * normalisation. `squash`: both sides become the frame's, bilinear without anti-aliasing.
   */
  readonly fit: 'pad' | 'squash'
  /** `bilinear`: by way of the frame, padding cut off. `bicubic`: straight to the picture's size (a = −0.75). */
  readonly upscaling: 'bilinear' | 'bicubic'
  /** Of channels from 0 to 1. */
  readonly mean: readonly [number, number, number]
  readonly std: readonly [number, number, number]
  /** Whether masks can be prompts. */
  readonly takesMasks: boolean
  /** Whether points can say what isn't part of a thing. */
  readonly takesNegativePoints: boolean
  /** How many points and corners a prompt is filled up to, and cut to; undefined: as many as there are. */
  readonly points: number | undefined
}

/** ImageNet's statistics, of channels from 0 to 1. */
const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

/** What all frames say of an encoder's sizes, in pixels and places. */
interface FrameSizes {
  readonly side: number
  readonly grid: { readonly rows: number; readonly columns: number }
  readonly width: number
}

function sizesOf({ side, grid: { rows, columns }, width }: FrameSizes) {
  return {
    ...{ height: side, width: side, embedding: [width, rows, columns] as const },
    ...{ maskRows: 4 * rows, maskColumns: 4 * columns },
  }
}

/** As Segment Anything sees pictures, and whoever has its prompts and its decoder. */
export function samFrame(sizes: FrameSizes): MaskFrame {
  return {
    ...sizesOf(sizes),
    ...{ fit: 'pad', upscaling: 'bilinear', ...imageNet },
    ...{ takesMasks: true, takesNegativePoints: true, points: undefined },
  }
}

/** As EfficientSAM sees them, which fills every prompt up to a number of points. */
export function efficientSamFrame({ points, ...sizes }: FrameSizes & { readonly points: number }): MaskFrame {
  return {
    ...sizesOf(sizes),
    ...{ fit: 'squash', upscaling: 'bicubic', ...imageNet },
    ...{ takesMasks: false, takesNegativePoints: false, points },
  }
}
