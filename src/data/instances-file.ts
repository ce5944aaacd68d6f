import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, win32 } from 'node:path'
import { BlvitError, fileReason } from '../base/blvit-error.js'
import { parseJson, parseWith } from '../base/parse.js'
import { grouped } from '../segmentation/average-precision/coco.js'
import { type Annotation, type InstancesFile, instancesFile } from '../segmentation/coco-form.js'

/** A picture of a file in COCO's form, and the objects that are marked in it. */
interface MarkedPicture {
  readonly id: number
  /** Of the picture's file, relative to the folder of all. */
  readonly name: string
  readonly size: { readonly width: number; readonly height: number }
  readonly annotations: readonly Annotation[]
}

interface Instances {
  readonly file: InstancesFile
  /** Of the file's text. */
  readonly fingerprint: string
  /** Those that have objects, in the order of the file. */
  readonly pictures: readonly MarkedPicture[]
  /** Where the pictures lie: beside the file, or in `images` beside it. */
  readonly folder: string
}

/**
 * Reads a file in COCO's or LVIS's form.
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`, also where no picture has an object
 */
export async function openInstances(path: string): Promise<Instances> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const message = `${path} can't be read: ${fileReason(cause)}. Give a file in COCO's form, instances.json.`
    throw new BlvitError('NOT_FOUND', message, { path }, { cause })
  })
  const file = parseWith(instancesFile, parseJson(text, path, 'BAD_DATA'), path, 'BAD_DATA')
  const pictures = picturesOf(file)
  const [first] = pictures
  if (!first) throw new BlvitError('BAD_DATA', `${path} marks no objects in any picture.`, { path })
  const beside = dirname(path)
  const folder = existsSync(join(beside, first.name)) ? beside : join(beside, 'images')
  return { file, fingerprint: createHash('sha256').update(text).digest('hex'), pictures, folder }
}

function picturesOf({ images, annotations }: InstancesFile): MarkedPicture[] {
  const byImage = grouped(annotations, ({ image_id }) => image_id)
  return images.flatMap(({ id, width, height, file_name: own, coco_url: address }) => {
    const ofImage = byImage.get(id) ?? []
    // LVIS names pictures by their address
    const name = own ?? address?.split('/').at(-1) ?? `${id}`
    checkInside(name)
    return ofImage.length === 0 ? [] : [{ id, name, size: { width, height }, annotations: ofImage }]
  })
}

/** Such a file may name what lies beside and below it, nothing else. */
function checkInside(name: string): void {
  const leadsOut = isAbsolute(name) || win32.isAbsolute(name) || name.split(/[/\\]/).includes('..')
  if (!leadsOut) return
  throw new BlvitError('BAD_DATA', `${name} leads out of the folder of the pictures, so nothing is read.`)
}
