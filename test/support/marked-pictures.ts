import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { encodeRle, rleText } from '../../src/segmentation/rle.js'

/** Of each picture, in pixels. */
export const markedSize = { width: 60, height: 40 }

const isBright = (x: number, y: number) => x >= 10 && x < 30 && y >= 8 && y < 28

/**
 * Pictures in COCO's form whose object, a rectangle, is what is bright in them: `a.png`, its mask as run lengths, `b.png`, its mask
 * as a polygon, and `empty.png`, in which nothing is marked.
 */
export async function writeMarkedPictures(folder: string): Promise<void> {
  await mkdir(join(folder, 'images'), { recursive: true })
  const { width, height } = markedSize
  const values = Uint8Array.from({ length: width * height }, (_, at) =>
    Number(isBright(at % width, Math.floor(at / width))),
  )
  const grey = Buffer.from(values.map((value) => 255 * value))
  const png = await sharp(grey, { raw: { ...markedSize, channels: 1 } })
    .toColourspace('srgb')
    .png()
    .toBuffer()
  const rle = encodeRle({ ...markedSize, values })
  const names = ['a.png', 'b.png', 'empty.png']
  for (const name of names) await writeFile(join(folder, 'images', name), png)
  const annotation = { category_id: 1, area: 400, bbox: [10, 8, 20, 20], iscrowd: 0 }
  const json = {
    images: names.map((file_name, id) => ({ id, file_name, ...markedSize })),
    annotations: [
      { id: 1, image_id: 0, ...annotation, segmentation: { size: rle.size, counts: rleText(rle) } },
      { id: 2, image_id: 1, ...annotation, segmentation: [[10, 8, 30, 8, 30, 28, 10, 28]] },
    ],
    categories: [{ id: 1, name: 'thing' }],
  }
  await writeFile(join(folder, 'instances.json'), JSON.stringify(json))
}
