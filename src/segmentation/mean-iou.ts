import { type AreaName, areaRanges } from './average-precision/match.js'

/** A mean and where it would lie 95 times of 100 if other objects had been drawn. */
export interface MeanIou {
  /** 0 … 1; NaN of none */
  readonly mean: number
  readonly low: number
  readonly high: number
  /** objects */
  readonly of: number
}

/** The 97.5 % quantile of the normal distribution. */
const z = 1.959_963_984_540_054

/** The mean over objects, with the normal distribution's interval, within 0 … 1. */
export function meanIou(ious: readonly number[]): MeanIou {
  const of = ious.length
  const mean = ious.reduce((a, b) => a + b, 0) / of
  const squares = ious.reduce((sum, iou) => sum + (iou - mean) ** 2, 0)
  // of one object nothing is known about others
  const reach = of > 1 ? z * Math.sqrt(squares / (of - 1) / of) : 1
  return { mean, of, low: Math.max(0, mean - reach), high: Math.min(1, mean + reach) }
}

/** COCO's sizes of objects, by the annotation's area in square pixels. */
export function isOfSize(area: number, size: AreaName): boolean {
  const [least, most] = areaRanges[size]
  return area >= least && area <= most
}
