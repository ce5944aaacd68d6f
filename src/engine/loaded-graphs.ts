import type { Graph } from '../graph/graph.js'
import type { Session } from '../runtime/runtime.js'

/** A graph and the session that runs it. */
export interface LoadedGraph {
  readonly graph: Graph
  readonly session: Session
}

/**
 * What of a model is loaded: one graph for every keep ratio or, on an engine that wants sizes as numbers (WebGPU),
 * one for each number of patches that was asked for; these stay loaded, each with its own copy of the weights.
 */
export class LoadedGraphs {
  private readonly loading = new Map<number | undefined, Promise<LoadedGraph>>()
  private readonly sessions: Session[] = []

  constructor(
    private readonly load: (kept: number | undefined) => Promise<LoadedGraph>,
    private readonly options: { readonly fixedSizes: boolean },
  ) {}

  /** @param kept the number of patches for the big blocks; undefined for a model without such */
  for(kept: number | undefined): Promise<LoadedGraph> {
    const key = this.options.fixedSizes ? kept : undefined
    const loaded = this.loading.get(key) ?? this.loadNew(key)
    this.loading.set(key, loaded)
    return loaded
  }

  private async loadNew(kept: number | undefined): Promise<LoadedGraph> {
    const loaded = await this.load(kept)
    this.sessions.push(loaded.session)
    return loaded
  }

  async endProfile(): Promise<void> {
    for (const session of this.sessions) await session.endProfile()
  }

  /** Frees everything, also what is still being loaded. */
  async dispose(): Promise<void> {
    await Promise.allSettled(this.loading.values())
    this.loading.clear()
    for (const session of this.sessions.splice(0)) await session.dispose()
  }
}
