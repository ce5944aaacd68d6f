/** An RGB picture in memory, 8 bits a channel, rows top to bottom, channels interleaved. */
export interface Pixels {
  readonly width: number
  readonly height: number
  /** `[height, width, 3]`, row-major */
  readonly values: Uint8Array
}

/** A picture laid on a drawing. */
export interface PlacedPixels {
  readonly pixels: Pixels
  readonly left: number
  readonly top: number
}

/** Pictures on white, with vector graphics on top. */
export interface Drawing {
  readonly width: number
  readonly height: number
  /** A whole SVG document of that size, without text: fonts differ from machine to machine. */
  readonly svg: string
  readonly pictures: readonly PlacedPixels[]
}
