/** An RGB picture in memory, 8 bits a channel, rows top to bottom, channels interleaved. */
export interface Pixels {
  readonly width: number
  readonly height: number
  /** `[height, width, 3]`, row-major */
  readonly values: Uint8Array
}
