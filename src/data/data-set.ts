import type { BlvitError } from '../base/blvit-error.js'
import type { Pixels } from '../image/pixels.js'

/** A labelled picture, not decoded yet. */
export interface Sample {
  /** For people; no two samples of a data set have the same. */
  readonly name: string
  /** A path, the encoded bytes, or the pixels themselves. */
  readonly source: string | Uint8Array | Pixels
  /** Class number from 0; undefined: nobody labelled it. */
  readonly label?: number | undefined
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
  /** Every item, bad ones included, in the same order each time. */
  items(options?: { signal?: AbortSignal | undefined }): AsyncIterable<DataItem>
  /** Changes when names, labels or file sizes do; doesn't depend on where the data lies. */
  fingerprint(): Promise<string>
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
  open(path: string, classes: Classes): Promise<DataSet>
}

/** Finds the class that a label means. */
export interface Classes {
  /** 0: labels don't matter. */
  readonly count: number
  /**
   * @param text a class number, a label of the model, or a WordNet id
   * @param where begins the message of an error, e.g. `"labels.csv, line 3"`
   * @returns undefined for an empty text and for -1: not labelled
   * @throws BlvitError `BAD_DATA`
   */
  find(text: string, where: string): number | undefined
}
