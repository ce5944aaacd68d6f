import { useCallback, useState } from 'preact/hooks'
import { Camera } from './camera.js'
import { type ChosenPhoto, chosenPhoto } from './chosen-photo.js'
import { examples } from './examples.js'
import { type IncomingFile, useIncomingFiles } from './incoming-files.js'

interface PhotoPickerProps {
  readonly active: boolean
  readonly onPhoto: (photo: ChosenPhoto) => void
  /** Takes what is dropped or pasted and is no photo. @returns whether it was taken */
  readonly takesOthers?: (files: readonly IncomingFile[]) => boolean
}

/** A photo by whatever way: dropped, pasted, chosen, taken, or one of ours. */
export function PhotoPicker({ active, onPhoto, takesOthers }: PhotoPickerProps) {
  const [failure, setFailure] = useState<string>()
  const choose = (photo: ChosenPhoto) => {
    setFailure(undefined)
    onPhoto(photo)
  }
  const take = useCallback(
    (files: readonly IncomingFile[]) => {
      setFailure(undefined)
      if (takesOthers?.(files)) return
      const [first] = files
      if (first) onPhoto(chosenPhoto(first.file, first.file.name))
    },
    [onPhoto, takesOthers],
  )
  useIncomingFiles(active, take)
  const takeExample = async (address: string, name: string) => {
    try {
      const response = await fetch(address)
      choose(chosenPhoto(await response.blob(), name))
    } catch {
      setFailure('The example can’t be fetched: there is no connection.')
    }
  }
  return (
    <div class="picker">
      <p>
        <label class="button main">
          Choose a photo
          <input
            type="file"
            accept="image/*"
            onChange={({ currentTarget }) => {
              const [file] = currentTarget.files ?? []
              if (file) choose(chosenPhoto(file, file.name))
              // the same file may be chosen again
              currentTarget.value = ''
            }}
          />
        </label>{' '}
        <Camera onPhoto={choose} onFailure={setFailure} /> <span>or drop or paste one anywhere, or take</span>
      </p>
      <ul class="examples" aria-label="Examples">
        {examples.map(({ name, address, author }) => (
          <li key={name}>
            <button
              type="button"
              title={`${name}, by ${author} (CC BY 2.0)`}
              onClick={() => takeExample(address, name)}
            >
              <img src={address} alt={name} width="64" height="64" />
            </button>
          </li>
        ))}
      </ul>
      {failure && <p role="alert">{failure}</p>}
    </div>
  )
}
