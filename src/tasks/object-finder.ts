import { BlvitError } from '../base/blvit-error.js'
import type { ImageInput } from '../image/image-input.js'
import type { PreparedPicture } from '../image/prepare.js'
import type { Preprocessing } from '../image/preprocessing.js'
import { objectsInput } from '../reduction/atf.js'
import type { PatchBits } from '../reduction/token-mask.js'
import type { ResolvedSettings } from '../settings/resolve.js'
import { type ObjectMask, objectRegions } from './object-regions.js'

/** Says where the object of a picture is: a detector, a table of masks by path. */
export type FindObjects = (image: ImageInput) => ObjectMask | Promise<ObjectMask>

/** Pictures that one run can take, by their places among those asked about, and the patches of their objects if it asks for them. */
export interface RunTogether {
  readonly places: readonly number[]
  readonly objects?: PatchBits | undefined
}

/**
 * Knows where the objects of a model's pictures are, for settings that ask (`reduce: 'atf:mask.json,objects=given'`): it
 * remembers those of prepared pictures as long as somebody holds the pictures.
 */
export class ObjectFinder {
  private readonly found = new WeakMap<Float32Array, PatchBits>()

  constructor(
    /** The model's, for messages. */
    private readonly name: string,
    private readonly find: FindObjects | undefined,
  ) {}

  /** @throws BlvitError `BAD_OPTION` where objects are told that nobody asks for */
  assertNeeded(usual: ResolvedSettings): void {
    if (!this.find || asksForObjects(usual)) return
    const message = `Nothing of ${this.name} asks where objects are: with "objects" give reduce: 'atf:mask.json,objects=given' too.`
    throw new BlvitError('BAD_OPTION', message)
  }

  /** @throws BlvitError `BAD_OPTION` where a run asks for objects and nobody tells them */
  assertAnswers(run: ResolvedSettings): void {
    if (this.find || !asksForObjects(run)) return
    const message = `${this.name} is to be told where the objects of its pictures are (objects=given), which only the library can: load(…, { objects: (image) => mask }).`
    throw new BlvitError('BAD_OPTION', message)
  }

  /**
   * Finds the objects of a picture that is being prepared for a run, if it asks for them.
   * @throws BlvitError `BAD_OPTION` for a mask that isn't the picture's; what the function throws
   */
  async see(
    image: ImageInput,
    picture: PreparedPicture,
    { run, preprocessing }: { readonly run: ResolvedSettings; readonly preprocessing: Preprocessing },
  ): Promise<void> {
    if (!this.find || !asksForObjects(run)) return
    const mask = await this.find(image)
    if ('height' in mask) assertSameShape(mask, picture.decoded)
    this.found.set(picture.input, objectRegions(mask, { architecture: run.architecture, preprocessing }))
  }

  /**
   * Pictures that go into one run: all of them, unless it asks for objects and theirs stand in other patches.
   * @throws BlvitError `BAD_OPTION` for one that another model prepared
   */
  groups(pictures: readonly Float32Array[], run: ResolvedSettings): readonly RunTogether[] {
    this.assertAnswers(run)
    if (!asksForObjects(run)) return [{ places: pictures.map((_, place) => place) }]
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

/** Whether a run is told where the objects of its pictures are. */
export function asksForObjects({ build }: ResolvedSettings): boolean {
  return build.hooks?.inputs?.includes(objectsInput) ?? false
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
