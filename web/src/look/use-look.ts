import { useEffect, useState } from 'preact/hooks'
import { tellEngineNews } from '../engine-state.js'
import type { ChosenPhoto } from '../photo/chosen-photo.js'
import type { Route, Seen, SeeProgress } from '../worker/engine.js'
import { isAborted, isOffline } from '../worker/messages.js'
import type { Asked } from '../worker/models.js'
import { thread } from '../worker/thread.js'

/** What is known of a photo at a setting, while it is looked at and after. */
export interface Look {
  readonly photo?: ChosenPhoto | undefined
  readonly asked?: Asked | undefined
  /** Of this or, while the engine works, of the question before. */
  readonly seen?: Seen | undefined
  /** Undefined: not there yet, or every layer works on all patches. */
  readonly route?: Route | undefined
  readonly isBusy: boolean
  readonly failure?: string | undefined
  /** Asks again what failed for want of a connection. */
  readonly retry?: (() => void) | undefined
}

/** Tells the page what computes, after the first answer. */
async function tellEngine({ model }: Asked): Promise<void> {
  tellEngineNews({ engine: await thread.call('engine', model) })
}

/**
 * Asks what a model says of a photo, and anew when anything changes: the question before is then dropped.
 * @param asked undefined: nothing yet
 */
export function useLook(photo: ChosenPhoto | undefined, asked: Asked | undefined): Look {
  const [look, setLook] = useState<Look>({ isBusy: false })
  const [attempts, setAttempts] = useState(0)
  const key = asked && JSON.stringify(asked)
  // the key says all of what is asked
  useEffect(() => {
    if (!photo || !asked) return undefined
    const controller = new AbortController()
    const { signal } = controller
    const about = { photo, asked }
    setLook((before) => ({
      ...about,
      isBusy: true,
      ...(before.photo?.id === photo.id && { seen: before.seen, route: before.route }),
    }))
    const onProgress = (progress: unknown) => {
      const { seen } = progress as SeeProgress
      setLook(({ route }) => ({ ...about, seen, route, isBusy: true }))
    }
    const { id, name, content } = photo
    thread.call('see', { photo: { id, name, content }, asked, traced: true }, { signal, onProgress }).then(
      ({ seen, route }) => {
        setLook({ ...about, seen, route, isBusy: false })
        void tellEngine(asked)
      },
      (thrown: Error) => {
        if (isAborted(thrown)) return
        const retry = isOffline(thrown) ? () => setAttempts(attempts + 1) : undefined
        setLook({ ...about, isBusy: false, failure: thrown.message, retry })
      },
    )
    return () => controller.abort()
  }, [photo, key, attempts])
  return look
}
