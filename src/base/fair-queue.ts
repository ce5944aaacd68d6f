/** What waits for its turn, and who for: things of one caller stay in their order. */
export interface Waiting {
  readonly caller: object
}

/** A queue in which callers take turns: who asks for two hundred things doesn't hold up who asks for one. */
export class FairQueue<T extends Waiting> {
  /** Callers in the order of their turns. */
  private readonly callers = new Map<object, T[]>()
  private length = 0

  get size(): number {
    return this.length
  }

  add(item: T): void {
    const own = this.callers.get(item.caller)
    if (own) own.push(item)
    else this.callers.set(item.caller, [item])
    this.length += 1
  }

  /** @returns false where it no longer waits */
  remove(item: T): boolean {
    const own = this.callers.get(item.caller)
    const place = own?.indexOf(item) ?? -1
    if (!own || place < 0) return false
    own.splice(place, 1)
    if (own.length === 0) this.callers.delete(item.caller)
    this.length -= 1
    return true
  }

  /**
   * Takes the first thing of the caller whose turn it is; his next turn comes after everybody else's.
   * @param wanted passes over callers whose first thing it refuses
   */
  take(wanted: (item: T) => boolean = () => true): T | undefined {
    for (const [caller, own] of this.callers) {
      const [first] = own
      if (first === undefined || !wanted(first)) continue
      own.shift()
      this.callers.delete(caller)
      if (own.length > 0) this.callers.set(caller, own)
      this.length -= 1
      return first
    }
    return undefined
  }

  /** Everything that waits; nothing does afterwards. */
  clear(): T[] {
    const all = [...this.callers.values()].flat()
    this.callers.clear()
    this.length = 0
    return all
  }

  /** Whether something waits that fulfils a condition. */
  some(condition: (item: T) => boolean): boolean {
    for (const own of this.callers.values()) if (own.some(condition)) return true
    return false
  }
}
