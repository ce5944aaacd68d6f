// Below this an allocation costs nothing worth saving.
const smallestBytes = 65_536

/**
 * Memory that is used again. Batches of pictures are megabytes outside JavaScript's heap: allocated anew each time,
 * they make V8 collect garbage after each batch, which took a fifth of the pictures a second.
 */
export class MemoryPool {
  private spares: ArrayBuffer[] = []

  /** @param most buffers that wait to be used again */
  constructor(private readonly most: number) {}

  /** Memory of exactly this size; what is in it is not defined. */
  take(bytes: number): ArrayBuffer {
    const found = this.spares.findIndex(({ byteLength }) => byteLength === bytes)
    return this.spares.splice(found, found < 0 ? 0 : 1)[0] ?? new ArrayBuffer(bytes)
  }

  /** Memory that nobody uses any more. The one that has waited longest is dropped when there are too many. */
  give(memory: ArrayBuffer): void {
    if (memory.byteLength >= smallestBytes) this.spares = [memory, ...this.spares].slice(0, this.most)
  }
}
