import { BlvitError } from '../base/blvit-error.js'
import type { Graph } from '../graph/graph.js'
import type { Session } from '../runtime/runtime.js'

/** A graph and the session that runs it. */
export interface LoadedGraph {
  readonly graph: Graph
  readonly session: Session
}

/**
 * What of a model is loaded, under keys that tell graphs apart: those that stay loaded share the weights' files, and on
 * WebGPU each has its own copy of them.
 */
export class LoadedGraphs {
  private readonly loading = new Map<string, Promise<LoadedGraph>>()
  private readonly sessions: Session[] = []
  private disposed = false

  /**
   * The graph of a key, loaded by `load` unless it is there. One that failed to load is tried again when asked for.
   * @throws BlvitError `ENGINE` after {@link dispose}: nobody would free it
   */
  async for(key: string, load: () => Promise<LoadedGraph>): Promise<LoadedGraph> {
    if (this.disposed)
      throw new BlvitError('ENGINE', 'The engine was disposed. Load the model again to use it.')
    const known = this.loading.get(key)
    if (known) return known
    const loaded = load().then((graph) => {
      this.sessions.push(graph.session)
      return graph
    })
    this.loading.set(key, loaded)
    loaded.catch(() => this.loading.delete(key))
    return loaded
  }

  async endProfile(): Promise<void> {
    for (const session of this.sessions) await session.endProfile()
  }

  /** Frees everything, also what is still being loaded and what comes after one that can't be freed. */
  async dispose(): Promise<void> {
    this.disposed = true
    await Promise.allSettled(this.loading.values())
    this.loading.clear()
    const ended = await Promise.allSettled(this.sessions.splice(0).map((session) => session.dispose()))
    const failed = ended.find((end) => end.status === 'rejected')
    if (failed) throw failed.reason
  }
}
