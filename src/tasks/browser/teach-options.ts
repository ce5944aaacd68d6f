import type { OptionKeys } from '../../base/check-options.js'

/** How far a teaching has come. */
export interface TeachProgress {
  /** `features`: pictures looked at; `head`: fits of the head, of each fold and the last one of all pictures. */
  readonly phase: 'features' | 'head'
  readonly done: number
  readonly total: number
}

export interface TeachOptions {
  /** Parts that the pictures are shared out among: each is answered by a head that learned from the others. Default 5. */
  readonly folds?: number | undefined
  /** Let pictures of classes with few count more, so that all classes count alike. Default true. */
  readonly balance?: boolean | undefined
  /** Of the order in which pictures are shared out. Default 0. */
  readonly seed?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: TeachProgress) => void) | undefined
}

export const teachKeys: OptionKeys<TeachOptions> = {
  folds: true,
  balance: true,
  seed: true,
  signal: true,
  onProgress: true,
}
