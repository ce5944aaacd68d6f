import type { BlvitError } from '../base/blvit-error.js'
import type { Pixels } from '../image/pixels.js'
import type { Annotation } from '../segmentation/coco-form.js'
import type { LabelReader, WrittenLabel } from './label-reader.js'

/** A labelled picture, not decoded yet. */
export interface Sample {
  /** For people; no two samples of a data set have the same. */
  readonly name: string
  /** A path, the encoded bytes, or the pixels themselves. */
  readonly source: string | Uint8Array | Pixels
  /** Class number from 0; undefined: nobody labelled it. */
  readonly label?: number | undefined
  /** All of its classes, perhaps none; only where the data was opened as one of several labels a picture. */
  readonly labels?: readonly number[] | undefined
  /** The things that are marked in it, with their masks; only of data in COCO's form. */
  readonly objects?: readonly Annotation[] | undefined
}

/** A sample that can't be used, and why. The samples after it can. */
export interface BadSample {
  readonly name: string
  readonly error: BlvitError
}

/** What a data set yields. */
export type DataItem = (Sample | BadSample) & {
  /** The share of the data set that has been read when this item comes, 0 … 1: from it the time left is estimated. */
  readonly readShare?: number | undefined
}

/** Pictures that stream in a fixed order. Nothing is held open between two streams. */
export interface DataSet {
  /** For people: what was opened. */
  readonly name: string
  /** How many items stream; undefined where only reading everything would tell. */
  readonly size?: number | undefined
  /** For people: how its labels are understood, e.g. `class numbers from 0`. Undefined while none was. */
  readonly labelRule?: string | undefined
  /** For people: what lies there and was passed over. */
  readonly notes?: readonly string[] | undefined
  /** Every item, bad ones included, in the same order each time. */
  items(options?: { signal?: AbortSignal | undefined }): AsyncIterable<DataItem>
  /** Changes when names, labels or file sizes do; doesn't depend on where the data lies. */
  fingerprint(): Promise<string>
}

/** Data that was found and whose labels nobody has understood yet. */
export interface FoundData {
  /** All its labels; undefined where only reading everything would tell. */
  readonly labels?: readonly WrittenLabel[] | undefined
  /** Reads everything for them. */
  readLabels?(): Promise<readonly WrittenLabel[]>
  /** The names of its classes in their order, where the format itself has names for them. */
  readonly classes?: readonly string[]
  /** For people: how several labels of a picture are written; undefined: each has one. */
  readonly several?: string | undefined
  /**
   * @param reader undefined: labels don't matter, and no picture has one
   * @throws BlvitError `BAD_DATA`
   */
  withLabels(reader: LabelReader | undefined): DataSet | Promise<DataSet>
}

/** A way in which data sets are stored. */
export interface DataFormat {
  readonly name: string
  /** For messages: what such a data set looks like. */
  readonly looks: string
  recognises(path: string): Promise<boolean>
  /** Is this a reference to a part of something, where no file or folder lies? */
  recognisesPart?(reference: string): Promise<boolean>
  /** @throws BlvitError `BAD_DATA`, `NOT_FOUND` for what makes the whole of it useless */
  find(path: string): Promise<FoundData>
}
