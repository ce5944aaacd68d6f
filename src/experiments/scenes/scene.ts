import { drawBelow, drawBetween } from '../../base/distributions.js'
import type { Random } from '../../base/random.js'
import type { PictureMask } from '../../image/picture-mask.js'
import type { Pixels } from '../../image/pixels.js'
import { drawCrop } from '../../image/random-crop.js'
import { crop, type Region, resize } from '../../image/resize.js'
import { outerBox } from '../../segmentation/restored-mask.js'
import { drawShape } from './shapes.js'

/** A photograph, and the masks of what is marked in it. */
export interface Photograph {
  readonly pixels: Pixels
  readonly objects: readonly PictureMask[]
}

/** A picture and the objects that can be seen in it. */
export interface Scene {
  readonly pixels: Pixels
  readonly objects: readonly PictureMask[]
}

/** Objects of fewer pixels are left out: at the size of a model's masks nothing is left of them. */
const leastPixels = 24
/** How often a thing of a photograph is laid on, in place of a shape with the texture of one. */
const shareOfThings = 0.35

function drawn<Item>(items: readonly Item[], random: Random): Item {
  return items[drawBelow(items.length, random)] as Item
}

function partOf({ pixels }: Photograph, size: { width: number; height: number }, random: Random): Pixels {
  const region = drawCrop(pixels, random, { scale: [0.1, 1] })
  return resize(crop(pixels, region), { ...size, filter: 'bilinear' })
}

/** The box of what is meant, as a region; undefined where next to nothing is. */
function regionOf(mask: PictureMask): Region | undefined {
  const [left, top, right, bottom] = outerBox(mask)
  const isSeen = right - left >= 3 && bottom - top >= 3
  return isSeen ? { left, top, width: right - left + 1, height: bottom - top + 1 } : undefined
}

/** What is laid on a picture: pixels of a box, and which of them belong to it. */
interface Layer {
  readonly pixels: Pixels
  readonly isPart: (x: number, y: number) => boolean
}

/** A thing cut out of a photograph, larger or smaller than it is there. */
function thing(photographs: readonly Photograph[], side: number, random: Random): Layer | undefined {
  const { pixels, objects } = drawn(photographs, random)
  const mask = objects.length > 0 ? drawn(objects, random) : undefined
  const region = mask && regionOf(mask)
  if (!mask || !region) return undefined
  const scale = (drawBetween(0.25, 0.7, random) * side) / Math.max(region.width, region.height)
  const size = {
    width: Math.max(4, Math.round(region.width * scale)),
    height: Math.max(4, Math.round(region.height * scale)),
  }
  const isPart = (x: number, y: number) => {
    const [column, row] = [
      region.left + Math.floor(((x + 0.5) * region.width) / size.width),
      region.top + Math.floor(((y + 0.5) * region.height) / size.height),
    ]
    return mask.values[row * mask.width + column] !== 0
  }
  return { pixels: resize(crop(pixels, region), { ...size, filter: 'bilinear' }), isPart }
}

/** A shape with the texture of a photograph, in other colours than it has there. */
function texturedShape(photographs: readonly Photograph[], side: number, random: Random): Layer {
  const size = {
    width: Math.round(drawBetween(0.25, 0.7, random) * side),
    height: Math.round(drawBetween(0.25, 0.7, random) * side),
  }
  const gains = [0, 1, 2].map(() => drawBetween(0.5, 1.5, random))
  const texture = partOf(drawn(photographs, random), size, random)
  const values = texture.values.map((value, at) => Math.min(255, value * (gains[at % 3] ?? 1)))
  const shape = drawShape(random)
  const isPart = (x: number, y: number) => shape((2 * x + 1) / size.width - 1, (2 * y + 1) / size.height - 1)
  return { pixels: { ...size, values }, isPart }
}

/**
 * A scene of two to four things on a part of a photograph: shapes with real textures, and things cut out of photographs; what
 * comes later covers what was there.
 * @param side of the picture, in pixels
 */
export function drawScene(photographs: readonly Photograph[], side: number, random: Random): Scene {
  const { values } = partOf(drawn(photographs, random), { width: side, height: side }, random)
  // whose a pixel is; 0: the background's
  const owners = new Uint8Array(side * side)
  const count = 2 + drawBelow(3, random)
  for (let owner = 1; owner <= count; owner++) {
    const isThing = random() < shareOfThings
    const layer = (isThing && thing(photographs, side, random)) || texturedShape(photographs, side, random)
    const { width, height } = layer.pixels
    const left = drawBelow(Math.max(1, side - width), random)
    const top = drawBelow(Math.max(1, side - height), random)
    for (let y = 0; y < Math.min(height, side - top); y++) {
      for (let x = 0; x < Math.min(width, side - left); x++) {
        if (!layer.isPart(x, y)) continue
        const at = (top + y) * side + left + x
        owners[at] = owner
        for (let channel = 0; channel < 3; channel++)
          values[3 * at + channel] = layer.pixels.values[3 * (y * width + x) + channel] ?? 0
      }
    }
  }
  const objects = Array.from({ length: count }, (_, object) => ({
    ...{ width: side, height: side },
    values: owners.map((owner) => Number(owner === object + 1)),
  }))
  return {
    pixels: { width: side, height: side, values },
    objects: objects.filter((mask) => mask.values.reduce((sum, value) => sum + value, 0) >= leastPixels),
  }
}
