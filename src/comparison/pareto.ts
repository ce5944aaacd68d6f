/** A row's place between two wishes. */
export interface Place {
  /** Less is better: time or work. */
  readonly cost: number
  /** More is better. */
  readonly accuracy: number
}

/**
 * Which places nobody beats: none is as accurate for less, or more accurate for as much.
 * @returns for each place whether it lies on the front
 */
export function paretoFront(places: readonly Place[]): readonly boolean[] {
  const beats = (a: Place, b: Place) =>
    a.cost <= b.cost && a.accuracy >= b.accuracy && (a.cost < b.cost || a.accuracy > b.accuracy)
  return places.map((place) => !places.some((other) => beats(other, place)))
}
