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
