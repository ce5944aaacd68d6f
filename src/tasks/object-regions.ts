import { BlvitError } from '../base/blvit-error.js'
import { maskAtInput, type PictureMask } from '../image/picture-mask.js'
import type { Preprocessing } from '../image/preprocessing.js'
import type { Architecture } from '../models/architecture.js'
import { dilated, objectRegion } from '../reduction/atf.js'
import type { PatchBits } from '../reduction/token-mask.js'

/** A mask of a picture's size. */
export interface GrownMask extends PictureMask {
  /** By how many pixels of the model's input it is grown. Default 0. */
  readonly dilate?: number | undefined
}

/**
 * Where the object of a picture is: a bit for each patch, row by row, or a mask of the picture's own size, which is resized
 * and cropped as the picture is; a patch of which any pixel is meant is the object's.
 */
export type ObjectMask = GrownMask | readonly boolean[] | readonly number[] | Uint8Array

function badMask(message: string): BlvitError {
  return new BlvitError('BAD_OPTION', message)
}

/** A mask of pixels whose numbers are as many as it says. */
function checkedMask(mask: PictureMask): PictureMask {
  const { height, width, values } = mask
  const isSize = (side: unknown) => Number.isInteger(side) && Number(side) > 0
  if (isSize(height) && isSize(width) && values?.length === height * width) return mask
  throw badMask(
    `A mask of ${height} × ${width} pixels with ${values?.length} values is none: it needs one for each pixel.`,
  )
}

/**
 * The patches of a model's picture that are the object's.
 * @throws BlvitError `BAD_OPTION` for a mask of another grid, or of pixels without their values
 */
export function objectRegions(
  mask: ObjectMask,
  { architecture, preprocessing }: { architecture: Architecture; preprocessing: Preprocessing },
): PatchBits {
  const { grid, patchSize, family } = architecture
  if (patchSize === undefined)
    throw badMask(`The model (${family}) has maps and no patches that a mask could mark.`)
  if ('height' in mask) {
    const { dilate = 0 } = mask
    const seen = maskAtInput(checkedMask(mask), preprocessing)
    return objectRegion(dilate > 0 ? dilated(seen, dilate) : seen, grid, patchSize)
  }
  const patches = grid.rows * grid.columns
  if (mask.length !== patches) {
    throw badMask(
      `A mask of ${mask.length} bits is for another grid: this model's pictures have ${grid.rows} × ${grid.columns} = ${patches} ` +
        'patches. Give as many bits, row by row, or a mask of the size of the picture with its height and width.',
    )
  }
  return Array.from(mask, Boolean)
}
