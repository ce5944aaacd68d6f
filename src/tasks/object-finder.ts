import { BlvitError } from '../base/blvit-error.js'
import type { ImageInput } from '../image/image-input.js'
import type { PreparedPicture } from '../image/prepare.js'
import type { Preprocessing } from '../image/preprocessing.js'
import type { Architecture } from '../models/architecture.js'
import type { PatchBits } from '../reduction/token-mask.js'
import { type ObjectMask, objectRegions } from './object-regions.js'

/** Says where the object of a picture is: a detector, a table of masks by path. */
export type FindObjects = (image: ImageInput) => ObjectMask | Promise<ObjectMask>

/** Pictures whose objects are in the same patches: what one run can take. */
export interface SamePatches {
  /** Places among the pictures asked about. */
  readonly places: readonly number[]
  readonly objects: PatchBits
}

/** Remembers where the objects of prepared pictures are, as long as somebody holds the pictures. */
export class ObjectFinder {
  private readonly found = new WeakMap<Float32Array, PatchBits>()

  constructor(private readonly find: FindObjects) {}

  /**
   * Finds the objects of a picture that is being prepared.
   * @throws BlvitError `BAD_OPTION` for a mask that isn't the picture's; what the function throws
   */
  async see(
    image: ImageInput,
    picture: PreparedPicture,
    model: { readonly architecture: Architecture; readonly preprocessing: Preprocessing },
  ): Promise<void> {
    const mask = await this.find(image)
    if ('height' in mask) assertSameShape(mask, picture.decoded)
    this.found.set(picture.input, objectRegions(mask, model))
  }

  /** Sorts pictures by their objects' patches. @throws BlvitError `BAD_OPTION` for one that another model prepared */
  groups(pictures: readonly Float32Array[]): readonly SamePatches[] {
    const groups = new Map<string, { places: number[]; objects: PatchBits }>()
    pictures.forEach((picture, place) => {
      const objects = this.found.get(picture)
      if (!objects) {
        throw new BlvitError(
          'BAD_OPTION',
          'Nothing says where the object of this picture is. Have the model prepare it: model.prepare(image).',
        )
      }
      const key = objects.map(Number).join('')
      const group = groups.get(key)
      if (group) group.places.push(place)
      else groups.set(key, { places: [place], objects })
    })
    return [...groups.values()]
  }
}

interface Sides {
  readonly height: number
  readonly width: number
}

/** A large picture is decoded smaller, each side rounded: that may move the product by a side. */
function assertSameShape(mask: Sides, picture: Sides): void {
  const apart = Math.abs(mask.width * picture.height - mask.height * picture.width)
  if (apart <= mask.width + mask.height) return
  throw new BlvitError(
    'BAD_OPTION',
    `A mask of ${mask.width} × ${mask.height} pixels has another shape than its picture, ${picture.width} × ${picture.height}.`,
    { mask: { ...mask, values: undefined } },
  )
}
