import { useRef, useState } from 'preact/hooks'
import { isAborted } from '../worker/messages.js'
import type { Lesson, TeachingProgress, Training } from '../worker/teacher.js'
import { thread } from '../worker/thread.js'
import type { TaughtClass } from './taught-class.js'

/** What the page says of a teaching. */
export interface Teaching {
  readonly words?: string | undefined
  /** 0 … 1, while it goes on. */
  readonly share?: number | undefined
  readonly lesson?: Lesson | undefined
  /** Of all layers, while it goes on too. */
  readonly epochs?: Training['epochs'] | undefined
  readonly training?: Training | undefined
  readonly failure?: string | undefined
}

/** `12 s`, `3 min` */
function duration(ms: number): string {
  return ms < 90_000 ? `${Math.max(1, Math.round(ms / 1000))} s` : `${Math.round(ms / 60_000)} min`
}

/** Says how far a training has come, and how long it may take: from the second step on, because the first compiles what it runs. */
function wordsOfSteps() {
  let first: { readonly done: number; readonly at: number } | undefined
  return (progress: TeachingProgress): Pick<Teaching, 'words' | 'share'> | undefined => {
    if (progress.phase === 'validation') return undefined
    const { done, total } = progress
    const share = done / total
    if (progress.phase === 'features') return { words: `Looking at photos: ${done} of ${total}`, share }
    if (progress.phase !== 'layers') return { words: `Fitting: ${done} of ${total}`, share }
    const now = performance.now()
    first ??= { done, at: now }
    const left = done > first.done ? ((now - first.at) / (done - first.done)) * (total - done) : undefined
    const time = left === undefined ? '' : `, ${duration(left)} more at most`
    return { words: `Training: step ${done} of ${total}, loss ${progress.loss.toFixed(2)}${time}`, share }
  }
}

const asked = (classes: readonly TaughtClass[]) =>
  classes.map(({ label, photos }) => ({ label, photos: photos.map(({ id, content }) => ({ id, content })) }))

export function useTeaching() {
  const [teaching, setTeaching] = useState<Teaching>({})
  const controller = useRef<AbortController>(undefined)
  const stop = () => controller.current?.abort()
  /** Runs one question of a teaching; whatever it is stopped by, the state before it is there again. */
  const run = async (
    before: Teaching,
    ask: (options: { signal: AbortSignal; onProgress: (progress: unknown) => void }) => Promise<Teaching>,
  ) => {
    stop()
    const own = new AbortController()
    controller.current = own
    const tell = (more: Teaching) => own === controller.current && setTeaching((now) => ({ ...now, ...more }))
    setTeaching({ ...before, words: 'Starting', share: 0 })
    const words = wordsOfSteps()
    const onProgress = (told: unknown) => {
      const { teaching: progress } = told as { teaching: TeachingProgress }
      if (progress.phase !== 'validation') tell(words(progress) ?? {})
      else if (own === controller.current) {
        setTeaching((now) => ({ ...now, epochs: [...(now.epochs ?? []), progress.epoch] }))
        // to make the graph of a step, and to load it, takes seconds
        if (progress.epoch.epoch === 0) tell({ words: 'Preparing to train', share: undefined })
      }
    }
    try {
      const after = await ask({ signal: own.signal, onProgress })
      if (own === controller.current) setTeaching(after)
    } catch (thrown) {
      const failure = isAborted(thrown) ? undefined : (thrown as Error).message
      if (own === controller.current) setTeaching({ ...before, failure })
    }
  }
  return {
    teaching,
    /** Fits a head. */
    start: (classes: readonly TaughtClass[]) =>
      run({}, async (options) => ({ lesson: await thread.call('learn', asked(classes), options) })),
    /** Trains all layers. */
    train: (classes: readonly TaughtClass[], lesson: Lesson) =>
      run({ lesson }, async (options) => {
        const training = await thread.call('train', asked(classes), options)
        return { lesson: training.lesson ?? lesson, training, epochs: training.epochs }
      }),
    /** Ends it; of a training what was best so far stays. */
    stop: () => {
      if (!teaching.epochs) return stop()
      setTeaching((now) => ({ ...now, words: 'Stopping after this step', share: undefined }))
      void thread.call('stopTraining', undefined)
    },
    forget: () => setTeaching({}),
  }
}
