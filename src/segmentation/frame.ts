import type { Size } from '../image/crop-window.js'
import { axisTaps, composeTaps, type Interpolation, type LogitsScale } from './logits-scale.js'

/** How a family of models sees a picture and gives its masks back. */
export interface FrameFit {
  /** of the square that the model sees, in pixels */
  readonly height: number
  readonly width: number
  /** of low-resolution logits */
  readonly maskRows: number
  readonly maskColumns: number
  /** `pad`: the longest side becomes the frame's, the rest is empty. `squash`: each side becomes the frame's. */
  readonly fit: 'pad' | 'squash'
  /** `bilinear`: to the frame, cut, to the picture (segment-anything). `bicubic`: straight to the picture (EfficientSAM). */
  readonly upscaling: Interpolation
}

/** The size of a picture within the frame; at least one pixel a side. */
export function sizeInFrame(
  { height, width }: Size,
  frame: Pick<FrameFit, 'height' | 'width' | 'fit'>,
): Size {
  if (frame.fit === 'squash') return { height: frame.height, width: frame.width }
  const scale = Math.min(frame.height / height, frame.width / width)
  const side = (length: number) => Math.max(1, Math.floor(length * scale + 0.5))
  return { height: side(height), width: side(width) }
}

/** How low-resolution logits become those of a picture. */
export function scaleToPicture(picture: Size, frame: FrameFit): LogitsScale {
  const inFrame = sizeInFrame(picture, frame)
  const axis = (from: number, whole: number, part: number, to: number) =>
    frame.upscaling === 'bicubic'
      ? axisTaps('bicubic', { from, to })
      : composeTaps(
          axisTaps('bilinear', { from, to: whole, length: part }),
          axisTaps('bilinear', { from: part, to }),
        )
  return {
    rows: axis(frame.maskRows, frame.height, inFrame.height, picture.height),
    columns: axis(frame.maskColumns, frame.width, inFrame.width, picture.width),
  }
}
