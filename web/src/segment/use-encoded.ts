import { useEffect, useState } from 'preact/hooks'
import type { ChosenPhoto } from '../photo/chosen-photo.js'
import { isAborted } from '../worker/messages.js'
import type { EncodedPhoto } from '../worker/segmenter.js'
import { thread } from '../worker/thread.js'
import type { GivenModel } from './use-model.js'

/** A photo on its way through the encoder, and after. */
export interface Encoding {
  readonly photo?: ChosenPhoto | undefined
  readonly encoded?: EncodedPhoto | undefined
  /** While it is encoded: for how long. */
  readonly sinceMs?: number | undefined
  /** What the photo before took. */
  readonly beforeMs?: number | undefined
  readonly failure?: string | undefined
}

const everyMs = 100

/** Encodes a photo once, for a model that is there. */
export function useEncoded(photo: ChosenPhoto | undefined, model: GivenModel): Encoding {
  const [encoding, setEncoding] = useState<Encoding>({})
  const { name, state, opening } = model
  useEffect(() => {
    if (!photo || name === undefined || opening !== undefined) return undefined
    const controller = new AbortController()
    const { signal } = controller
    const began = performance.now()
    const tick = () => setEncoding((all) => ({ ...all, sinceMs: performance.now() - began }))
    const timer = setInterval(tick, everyMs)
    setEncoding(({ beforeMs }) => ({ photo, sinceMs: 0, beforeMs }))
    const { id, content } = photo
    thread
      .call('encodePhoto', { id, name: photo.name, content }, { signal })
      .then(
        (encoded) => setEncoding({ photo, encoded, beforeMs: encoded.elapsedMs }),
        (thrown: Error) => {
          if (!isAborted(thrown)) setEncoding({ photo, failure: thrown.message })
        },
      )
      .finally(() => clearInterval(timer))
    return () => {
      clearInterval(timer)
      controller.abort()
    }
  }, [photo, name, state, opening])
  return encoding.photo === photo ? encoding : {}
}
