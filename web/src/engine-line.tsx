import { useEngineNews } from './engine-state.js'
import { megabytes } from './words.js'

/** What computes here and why, how far its downloads have come. */
export function EngineLine() {
  const { engine, downloading, notKept, lost } = useEngineNews()
  const { downloadedBytes = 0, totalBytes, model } = downloading ?? {}
  const isLoading = downloading && (totalBytes === undefined || downloadedBytes < totalBytes)
  return (
    <div class="engine" aria-live="polite">
      {isLoading && (
        <p>
          <label>
            {`Loading ${model}, once: ${megabytes(downloadedBytes)}`}
            {totalBytes === undefined ? '' : ` of ${megabytes(totalBytes)}`}{' '}
            <progress value={downloadedBytes} max={totalBytes} />
          </label>
        </p>
      )}
      {engine && (
        <p>
          {`${engine.description}, ${engine.threads} thread${engine.threads === 1 ? '' : 's'}: ${engine.reason}.`}
          {!engine.isolated &&
            ' Only one thread, because this page may not share memory: its server sends no COOP and COEP headers. Loaded again, the page sends them to itself where its service worker runs.'}
        </p>
      )}
      {lost && (
        <p>{`The graphics processor failed, so WebAssembly computes until this page is loaded again (${lost})`}</p>
      )}
      {notKept && (
        <p>{`The model's files can't be kept for the next visit (${notKept}); they are fetched again then.`}</p>
      )}
    </div>
  )
}
