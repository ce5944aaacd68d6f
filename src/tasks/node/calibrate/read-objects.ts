import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { BlvitError, fileReason } from '../../../base/blvit-error.js'
import { parseJson, parseWith } from '../../../base/parse.js'
import { nodeDecoder } from '../../../image/node/decode.js'
import { whitePixels } from '../../../image/picture-mask.js'
import { bitsOf, type PatchBits } from '../../../reduction/token-mask.js'
import type { Model } from '../../model.js'
import { type GrownMask, objectRegions } from '../../object-regions.js'

const gridOfBits = z.array(z.string().regex(/^[01]+$/, 'is a row of 0 and 1')).min(1)

async function readGrid(path: string, { architecture }: Pick<Model, 'architecture'>): Promise<PatchBits> {
  const { rows, columns } = architecture.grid
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new BlvitError('NOT_FOUND', `${path} can't be read: ${fileReason(cause)}.`, { path }, { cause })
  }
  const found = parseWith(gridOfBits, parseJson(text, path, 'BAD_DATA'), path, 'BAD_DATA')
  const isFitting = found.length === rows && found.every((row) => row.length === columns)
  if (isFitting) return bitsOf(found)
  const size = `${found.length} rows of ${[...new Set(found.map((row) => row.length))].join(' or ')}`
  throw new BlvitError(
    'BAD_OPTION',
    `${path} has ${size} bits, but this model's pictures have ${rows} rows of ${columns} patches. ` +
      'Give a bit for each of them, or a picture that is white where the object is, of any size.',
    { path },
  )
}

/**
 * The patches of an object from a file: a picture, white where the object is, which is resized and cropped as pictures are;
 * or JSON, a string of 0 and 1 for each row of patches.
 * @throws BlvitError `NOT_FOUND`, `BAD_IMAGE`, `BAD_DATA`, `BAD_OPTION` for a grid of another size
 */
export async function readObjects(
  path: string,
  model: Pick<Model, 'architecture' | 'preprocessing'>,
  { dilate }: Pick<GrownMask, 'dilate'> = {},
): Promise<PatchBits> {
  if (!path.toLowerCase().endsWith('.json'))
    return objectRegions({ ...whitePixels(await nodeDecoder.decode(path)), dilate }, model)
  if (dilate === undefined) return readGrid(path, model)
  throw new BlvitError(
    'BAD_OPTION',
    `${path} is a grid of patches, which isn't grown by pixels. Give a picture, or leave --dilate out.`,
    { path },
  )
}
