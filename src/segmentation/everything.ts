import { throwIfAborted } from '../base/blvit-error.js'
import { laterTurn } from '../base/turn.js'
import type { Size } from '../image/crop-window.js'
import { keepApart } from './box-nms.js'
import { withoutSmallRegions } from './connected.js'
import { type Crop, cropsOf, pointGrid } from './crops.js'
import type { LogitsScale } from './logits-scale.js'
import { eachMask, type LowResMasks } from './low-res-masks.js'
import { type BoxXyxy, outerBox, restoreMask } from './restored-mask.js'
import { decodeRle, encodeRle, type Rle, rleArea } from './rle.js'

/** How masks of all that is in a picture are found and chosen. Defaults are segment-anything's. */
export interface EverythingOptions {
  /** The grid of clicks has so many a side, in each crop. Default 32. */
  readonly pointsPerSide?: number | undefined
  /** Clicks that are answered at once. Default 64. */
  readonly pointsPerRun?: number | undefined
  /** Masks must be predicted to overlap an object by more. Default 0.88. */
  readonly minIou?: number | undefined
  /** Least share of pixels that stay when the threshold goes from −1 to 1. Default 0.95. */
  readonly minStability?: number | undefined
  /** Of two masks whose boxes overlap by more, the worse goes. Default 0.7. */
  readonly maxOverlap?: number | undefined
  /** Looks at 2 × 2, 4 × 4, … crops too. Default 0. */
  readonly cropLayers?: number | undefined
  /** Holes and islands of fewer pixels are removed. Default 0: none. */
  readonly minArea?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: EverythingProgress) => void) | undefined
}

export interface EverythingProgress {
  /** Clicks that are answered. */
  readonly done: number
  readonly total: number
  /** Masks found so far. */
  readonly masks: number
}

/** A mask that nobody asked for. */
export interface FoundMask {
  readonly mask: Rle
  /** pixels */
  readonly area: number
  /** outermost pixels, themselves included */
  readonly box: BoxXyxy
  readonly predictedIou: number
  readonly stability: number
  /** The click that found it, in pixels of the picture. */
  readonly point: readonly [x: number, y: number]
  /** Where the model looked. */
  readonly crop: Crop
}

/** A part of a picture that answers clicks. */
export interface EncodedCrop {
  /** From the model's masks to the crop's pixels. */
  readonly scale: LogitsScale
  /** Several masks for each click. @param points `[clicks, 2]`, x and y in pixels of the crop */
  predict(points: Float32Array): Promise<LowResMasks>
}

/** Boxes must end further than this from a side of a crop that is no side of the picture. */
const cropMarginPixels = 20

/**
 * Masks of all that is in a picture: a grid of clicks, filters, suppression of doubles (segment-anything's automatic masks).
 * @param picture in pixels
 * @param encode gives a part of the picture to the model
 * @returns the best first
 * @throws BlvitError `ABORTED`; what `encode` and its answers throw
 */
export async function findEverything(
  picture: Size,
  encode: (crop: Crop) => Promise<EncodedCrop>,
  options: EverythingOptions = {},
): Promise<FoundMask[]> {
  const { pointsPerSide = 32, cropLayers = 0, maxOverlap = 0.7, minArea = 0, signal, onProgress } = options
  const crops = cropsOf(picture, { layers: cropLayers })
  const total = crops.length * pointsPerSide ** 2
  const found: FoundMask[] = []
  let done = 0
  for (const crop of crops) {
    throwIfAborted(signal)
    const ofCrop: FoundMask[] = []
    const encoded = await encode(crop)
    for await (const some of cropMasks(encoded, { ...options, pointsPerSide, crop, picture })) {
      ofCrop.push(...some.masks)
      done += some.clicks
      onProgress?.({ done, total, masks: found.length + ofCrop.length })
    }
    const scores = ofCrop.map(({ predictedIou }) => predictedIou)
    found.push(...apart(ofCrop, scores, maxOverlap))
  }
  // what a closer look found is better
  const closest = (mask: FoundMask) => 1 / (mask.crop.width * mask.crop.height)
  const kept = crops.length > 1 ? apart(found, found.map(closest), maxOverlap) : found
  return minArea > 0 ? cleaned(kept, { minArea, maxOverlap }) : kept
}

function apart(masks: readonly FoundMask[], scores: readonly number[], iou: number): FoundMask[] {
  const boxes = masks.map(({ box }) => box)
  return keepApart(boxes, scores, { iou }).flatMap((place) => masks[place] ?? [])
}

/** What the clicks on one crop find, some clicks at a time. */
async function* cropMasks(
  encoded: EncodedCrop,
  {
    crop,
    picture,
    pointsPerSide,
    ...options
  }: EverythingOptions & { readonly pointsPerSide: number; readonly crop: Crop; readonly picture: Size },
) {
  const { pointsPerRun = 64, minIou = 0.88, minStability = 0.95, signal } = options
  const points = Float32Array.from(pointGrid(pointsPerSide), (share, at) =>
    at % 2 === 0 ? share * crop.width : share * crop.height,
  )
  for (let first = 0; first < points.length; first += 2 * pointsPerRun) {
    const some = points.subarray(first, first + 2 * pointsPerRun)
    const answer = await encoded.predict(some)
    const from = { height: answer.rows, width: answer.columns }
    const masks: FoundMask[] = []
    for (const { prompt, logits, predictedIou } of eachMask(answer)) {
      if (!(predictedIou > minIou)) continue
      // a mask of a large picture takes as long as a frame of a screen
      await laterTurn()
      throwIfAborted(signal)
      const { mask, area, box, stability } = restoreMask(logits, from, encoded.scale)
      const placed = moved(box, crop)
      if (stability < minStability || endsAtCrop(placed, crop, picture)) continue
      const point = [(some[2 * prompt] ?? 0) + crop.left, (some[2 * prompt + 1] ?? 0) + crop.top] as const
      masks.push({
        ...{ predictedIou, stability, crop, point, area },
        mask: encodeRle(uncropped(mask, crop, picture)),
        box: placed,
      })
    }
    yield { masks, clicks: some.length / 2 }
  }
}

function moved([x0, y0, x1, y1]: BoxXyxy, { left, top }: Crop): BoxXyxy {
  return [x0 + left, y0 + top, x1 + left, y1 + top]
}

/** Whether a mask is cut off by a side of the crop. */
function endsAtCrop(box: BoxXyxy, { left, top, width, height }: Crop, picture: Size): boolean {
  const ofCrop = [left, top, left + width, top + height]
  const ofPicture = [0, 0, picture.width, picture.height]
  return box.some((side, at) => {
    const isNear = (other = 0) => Math.abs(side - other) <= cropMarginPixels
    return isNear(ofCrop[at]) && !isNear(ofPicture[at])
  })
}

/** A mask of a crop as one of the picture. */
function uncropped(
  mask: ReturnType<typeof restoreMask>['mask'],
  { left, top }: Crop,
  { height, width }: Size,
) {
  if (mask.width === width && mask.height === height) return mask
  const values = new Uint8Array(height * width)
  for (let row = 0; row < mask.height; row++) {
    const from = mask.values.subarray(row * mask.width, (row + 1) * mask.width)
    values.set(from, (top + row) * width + left)
  }
  return { height, width, values }
}

/** Holes filled and islands removed; of doubles, those that had none stay. */
function cleaned(
  masks: readonly FoundMask[],
  { minArea, maxOverlap }: { readonly minArea: number; readonly maxOverlap: number },
): FoundMask[] {
  const changed = masks.map((found) => {
    const better = withoutSmallRegions(decodeRle(found.mask), minArea)
    if (!better) return { found, score: 1 }
    const mask = encodeRle(better)
    return { found: { ...found, mask, area: rleArea(mask), box: outerBox(better) }, score: 0 }
  })
  return apart(
    changed.map(({ found }) => found),
    changed.map(({ score }) => score),
    maxOverlap,
  )
}
