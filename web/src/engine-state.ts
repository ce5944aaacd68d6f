import { useEffect, useState } from 'preact/hooks'
import type { EngineState } from './worker/engine.js'
import type { Downloading, LoadProgress } from './worker/models.js'

/** What the page knows of its engine: all of its tabs ask the same one. */
export interface EngineNews {
  readonly engine?: EngineState | undefined
  readonly downloading?: Downloading | undefined
  /** Why model files aren't kept for the next visit. */
  readonly notKept?: string | undefined
  /** Why the graphics processor isn't used any more. */
  readonly lost?: string | undefined
  /** A model that the user gave, kept now. */
  readonly kept?: string | undefined
}

let news: EngineNews = {}
const listeners = new Set<(news: EngineNews) => void>()

export function tellEngineNews(more: EngineNews): void {
  news = { ...news, ...more }
  for (const listener of listeners) listener(news)
}

/** Takes what the engine's thread tells of itself. @returns false: it tells something else */
export function hearEngine(progress: unknown): boolean {
  const told = progress as LoadProgress
  const isNews = 'downloading' in told || 'notKept' in told || 'lost' in told
  if (isNews) tellEngineNews(told)
  return isNews
}

export function useEngineNews(): EngineNews {
  const [seen, setSeen] = useState(news)
  useEffect(() => {
    listeners.add(setSeen)
    setSeen(news)
    return () => {
      listeners.delete(setSeen)
    }
  }, [])
  return seen
}
