import { join } from 'node:path'
import { resize } from '../../../src/image/resize.js'
import { axisTaps, scaled } from '../../../src/segmentation/logits-scale.js'
import { readGolden } from '../../support/golden.js'
import { Findings, type OwnCase } from './findings.js'

/** Pillow's resizes of pictures, bit for bit, and torch's of maps without antialias. */
export const resizing: OwnCase = async (folder) => {
  const golden = await readGolden(join(folder, 'resize.safetensors'))
  const found = new Findings()
  const [rows = 0, columns = 0] = golden.shape('in/image_u8')
  const picture = { height: rows, width: columns, values: Uint8Array.from(golden.integers('in/image_u8')) }
  const [, channels = 0, mapRows = 0, mapColumns = 0] = golden.shape('in/map')
  const map = golden.floats('in/map')
  for (const name of golden.names('out/')) {
    const [, isMap, filter, toHeight, toWidth] =
      /^out\/(map_)?(bilinear|bicubic)_(\d+)x(\d+)$/.exec(name) ?? []
    const interpolation = filter === 'bicubic' ? 'bicubic' : 'bilinear'
    const [height, width] = [Number(toHeight), Number(toWidth)]
    if (isMap === undefined) {
      const resized = resize(picture, { height, width, filter: interpolation })
      found.equal(name, [...resized.values], golden.integers(name))
      continue
    }
    const scale = {
      rows: axisTaps(interpolation, { from: mapRows, to: height }),
      columns: axisTaps(interpolation, { from: mapColumns, to: width }),
    }
    const each = mapRows * mapColumns
    const ours = Array.from({ length: channels }, (_, channel) => {
      const one = map.subarray(channel * each, (channel + 1) * each)
      return [...scaled(one, { height: mapRows, width: mapColumns }, scale)]
    })
    found.close(name, ours.flat(), golden.floats(name), 1e-5)
  }
  return found
}
