/** Height and width, in pixels. */
export interface Size {
  readonly height: number
  readonly width: number
}

/** How timm brings a picture to the shape of the model's input. */
export type CropMode = 'center' | 'squash' | 'border'

/** Where the model's input lies in the resized picture; negative `top`/`left` mean padding before it. */
export interface CropWindow {
  /** size to which the whole picture is resized */
  readonly resized: Size
  readonly top: number
  readonly left: number
}

/** timm's three ways to choose the size before cropping: `target` is the input size divided by the crop ratio. */
const resizedSize: Record<CropMode, (picture: Size, target: Size) => Size> = {
  // the short side becomes the target's, what sticks out is lost
  center: (picture, target) =>
    target.height === target.width
      ? shortSideTo(picture, target.height)
      : keepingRatio(picture, Math.min(picture.height / target.height, picture.width / target.width)),
  // each side becomes the target's, the aspect ratio is lost
  squash: (_picture, target) => target,
  // the long side becomes the target's, what is missing is padded
  border: (picture, target) =>
    keepingRatio(picture, Math.max(picture.height / target.height, picture.width / target.width)),
}

export const cropModes = Object.keys(resizedSize) as CropMode[]

/** The size to which timm scales before it crops `input`: `floor(input / cropRatio)`, at least one pixel. */
export function sizeBeforeCrop({ height, width }: Size, cropRatio: number): Size {
  const before = (side: number) => Math.max(1, Math.floor(side / cropRatio))
  return { height: before(height), width: before(width) }
}

/** Plans resize and centre crop (or padding) of a picture for an input of the given size. */
export function cropWindow(
  picture: Size,
  { height, width, cropRatio, cropMode }: Size & { readonly cropRatio: number; readonly cropMode: CropMode },
): CropWindow {
  const resized = resizedSize[cropMode](picture, sizeBeforeCrop({ height, width }, cropRatio))
  return { resized, top: offset(resized.height, height), left: offset(resized.width, width) }
}

/** torchvision's `Resize(int)`: the long side is truncated, not rounded. */
function shortSideTo({ height, width }: Size, side: number): Size {
  const long = Math.trunc((side * Math.max(height, width)) / Math.min(height, width))
  return height < width ? { height: side, width: long } : { height: long, width: side }
}

/** timm's `ResizeKeepRatio`; a side never vanishes. */
function keepingRatio({ height, width }: Size, ratio: number): Size {
  return {
    height: Math.max(1, roundHalfToEven(height / ratio)),
    width: Math.max(1, roundHalfToEven(width / ratio)),
  }
}

/** torchvision's `center_crop`: rounds half to even, and pads the smaller half before. */
function offset(length: number, wanted: number): number {
  return wanted > length ? -Math.floor((wanted - length) / 2) : roundHalfToEven((length - wanted) / 2)
}

/** Python's `round`. */
export function roundHalfToEven(x: number): number {
  const floor = Math.floor(x)
  if (x - floor !== 0.5) return Math.round(x)
  return floor % 2 === 0 ? floor : floor + 1
}
