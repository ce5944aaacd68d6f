import type { EverythingProgress } from 'blvit/web'
import { useEffect, useId, useState } from 'preact/hooks'
import { isAborted } from '../worker/messages.js'
import type { FindOptions, FoundAll } from '../worker/segmenter.js'
import { thread } from '../worker/thread.js'

interface EverythingProps {
  readonly photo: number
  readonly found: FoundAll | undefined
  readonly onFound: (found: FoundAll | undefined) => void
}

/** segment-anything's own. */
const usual: FindOptions = { pointsPerSide: 32, minIou: 0.88, minStability: 0.95 }

const fields = [
  { key: 'pointsPerSide', label: 'Clicks a side', step: 1 },
  { key: 'minIou', label: 'Least predicted overlap', step: 0.01 },
  { key: 'minStability', label: 'Least stability', step: 0.01 },
] as const satisfies readonly { key: keyof FindOptions; label: string; step: number }[]

/** Looks for all that is in the photo, by a grid of clicks. */
export function Everything({ photo, found, onFound }: EverythingProps) {
  const [options, setOptions] = useState(usual)
  const [progress, setProgress] = useState<EverythingProgress>()
  const [controller, setController] = useState<AbortController>()
  const [failure, setFailure] = useState<string>()
  const id = useId()
  // of another photo something else is looked for
  useEffect(() => () => controller?.abort(), [photo])
  const find = async () => {
    const own = new AbortController()
    setController(own)
    setFailure(undefined)
    setProgress(undefined)
    try {
      const onProgress = (told: unknown) => setProgress(told as EverythingProgress)
      onFound(await thread.call('findAll', { photo, options }, { signal: own.signal, onProgress }))
    } catch (thrown) {
      if (!isAborted(thrown)) setFailure((thrown as Error).message)
    } finally {
      setController(undefined)
    }
  }
  const clicks = options.pointsPerSide ** 2
  return (
    <section aria-label="Everything">
      <p>
        {controller ? (
          <button type="button" onClick={() => controller.abort()}>
            Stop looking
          </button>
        ) : (
          <button type="button" onClick={find}>
            Find everything
          </button>
        )}{' '}
        {found && (
          <button type="button" onClick={() => onFound(undefined)}>
            Back to clicks
          </button>
        )}
      </p>
      {controller && (
        <p>
          <label>
            {`${progress?.done ?? 0} of ${progress?.total ?? clicks} clicks, ${progress?.masks ?? 0} masks `}
            <progress value={progress?.done ?? 0} max={progress?.total ?? clicks} />
          </label>
        </p>
      )}
      {failure && <p role="alert">{failure}</p>}
      {found && !controller && (
        <p role="status">
          {found.count === 0
            ? 'Nothing was found: ask for less overlap or stability.'
            : `Found ${found.count} masks. Point at one; click it to cut it out.`}
        </p>
      )}
      <details>
        <summary>How it looks</summary>
        {fields.map(({ key, label, step }) => (
          <p key={key}>
            <label for={`${id}${key}`}>{label}</label>{' '}
            <input
              id={`${id}${key}`}
              type="number"
              step={step}
              value={options[key]}
              onChange={({ currentTarget }) =>
                setOptions((all) => ({ ...all, [key]: Number(currentTarget.value) }))
              }
            />
          </p>
        ))}
      </details>
    </section>
  )
}
