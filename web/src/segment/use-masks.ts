import type { PointPrompt, Prompt } from 'blvit/web'
import { useEffect, useRef, useState } from 'preact/hooks'
import { isAborted } from '../worker/messages.js'
import type { DrawnMask } from '../worker/segmenter.js'
import { thread } from '../worker/thread.js'

type Box = NonNullable<Prompt['box']>

/** Clicks and a box on one object, in the order in which they were made. */
export interface Prompted {
  readonly points: readonly PointPrompt[]
  readonly box?: Box | undefined
}

export const nothing: Prompted = { points: [] }

export function isNothing({ points, box }: Prompted): boolean {
  return points.length === 0 && !box
}

/** Whether several masks may be meant: one click may be a shirt or who wears it. */
export function isAmbiguous({ points, box }: Prompted): boolean {
  return points.length === 1 && !box
}

/** A prompt without what it doesn't have. */
export function promptOf({ points, box }: Prompted): Prompt {
  return { ...(points.length > 0 && { points }), ...(box && { box }) }
}

interface Masks {
  readonly masks: readonly DrawnMask[]
  readonly elapsedMs?: number | undefined
  readonly failure?: string | undefined
}

/** The masks of what has been clicked; those of the clicks before until the answer is there. */
export function useMasks(photo: number | undefined, prompted: Prompted): Masks {
  const [answer, setAnswer] = useState<Masks>({ masks: [] })
  useEffect(() => {
    if (photo === undefined || isNothing(prompted)) return setAnswer({ masks: [] })
    const controller = new AbortController()
    const began = performance.now()
    const asked = { photo, prompt: promptOf(prompted), multimask: isAmbiguous(prompted) }
    thread.call('predict', asked, { signal: controller.signal }).then(
      (masks) => setAnswer({ masks, elapsedMs: performance.now() - began }),
      (thrown: Error) => {
        if (!isAborted(thrown)) setAnswer({ masks: [], failure: thrown.message })
      },
    )
    return () => controller.abort()
  }, [photo, prompted])
  return answer
}

/** A place of the photo, in pixels of what was encoded. */
export type Place = Pick<PointPrompt, 'x' | 'y'>

/**
 * What is under the pointer. One place is asked for at a time, the newest: a pointer moves faster than masks are made.
 * @param ask undefined: nothing is asked
 */
export function useHovered<Answer>(
  place: Place | undefined,
  ask: ((place: Place) => Promise<Answer>) | undefined,
): Answer | undefined {
  const [answer, setAnswer] = useState<Answer>()
  const next = useRef<Place>(undefined)
  const isAsking = useRef(false)
  const newest = useRef(ask)
  newest.current = ask
  useEffect(() => {
    next.current = place
    if (!place) return setAnswer(undefined)
    if (isAsking.current) return undefined
    const askOn = async () => {
      isAsking.current = true
      try {
        for (let wanted = next.current; wanted; wanted = next.current) {
          next.current = undefined
          const asking = newest.current
          const found = await asking?.(wanted)
          // meanwhile a click may have been made, or the pointer have left
          setAnswer(() => (asking === newest.current || next.current ? found : undefined))
        }
      } catch {
        // a photo that is encoded no more: what is wrong is told where it is encoded
        setAnswer(undefined)
      } finally {
        isAsking.current = false
      }
    }
    void askOn()
    return undefined
  }, [place?.x, place?.y, ask === undefined])
  return ask && place ? answer : undefined
}
