import { type CachedModel, clearCachedModels, listCachedModels } from 'blvit/web'
import { useEffect, useState } from 'preact/hooks'
import { useEngineNews } from './engine-state.js'
import { megabytes } from './words.js'

/** `models/blvit-tiny-1a2b3c4d/` → `blvit-tiny` */
function nameOf({ address }: CachedModel): string {
  return decodeURIComponent(/([^/]+?)(?:-[0-9a-f]{8})?\/$/.exec(address)?.[1] ?? address)
}

/** The models that the browser keeps for the next visit, and a way to be rid of them. */
export function KeptFiles() {
  const [models, setModels] = useState<readonly CachedModel[]>([])
  const { engine, downloading, kept } = useEngineNews()
  const isWhole = downloading?.downloadedBytes === downloading?.totalBytes
  const look = () => void listCachedModels().then(setModels)
  // another model may have been kept
  useEffect(look, [engine, downloading?.model, isWhole, kept])
  if (models.length === 0) return null
  const clear = () => void clearCachedModels().then(look)
  return (
    <details>
      <summary>{`Kept for the next visit: ${megabytes(models.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}`}</summary>
      <ul>
        {models.map((model) => (
          <li key={model.address}>{`${nameOf(model)}, ${megabytes(model.sizeBytes)}`}</li>
        ))}
      </ul>
      <button type="button" onClick={clear}>
        Forget these files
      </button>
    </details>
  )
}
