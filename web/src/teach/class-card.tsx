import { useId } from 'preact/hooks'
import type { ChosenPhoto } from '../photo/chosen-photo.js'
import type { PhotoVerdict } from '../worker/teacher.js'
import type { TaughtClass } from './taught-class.js'

interface ClassCardProps {
  readonly taught: TaughtClass
  /** What came of the teaching, by the photo's id. */
  readonly verdicts: ReadonlyMap<number, PhotoVerdict>
  readonly onLabel: (label: string) => void
  readonly onFiles: (files: readonly File[]) => void
  readonly onRemovePhoto: (photo: ChosenPhoto) => void
  readonly onRemove: () => void
}

/** What is said of a photo under its thumbnail; nothing where all is well. */
function verdictText(label: string, { answer, failure }: PhotoVerdict): string {
  if (failure !== undefined) return failure
  // of a whole model that was trained, most photos were learned, and say nothing
  if (answer === undefined || answer === label.trim()) return ''
  return `taken for ${answer} while it wasn’t learned`
}

/** One class: its name, its photos, ways to add some. Photos that are dropped on it are its own. */
export function ClassCard({ taught, verdicts, onLabel, onFiles, onRemovePhoto, onRemove }: ClassCardProps) {
  const { id, label, photos } = taught
  const name = useId()
  return (
    <section class="class" data-class={id} aria-label={label}>
      <p>
        <label for={name}>Class</label>
        <input id={name} value={label} onInput={({ currentTarget }) => onLabel(currentTarget.value)} />
      </p>
      <ul class="thumbnails" aria-label={`Photos of ${label}`}>
        {photos.map((photo) => {
          const verdict = verdicts.get(photo.id)
          const said = verdict && verdictText(label, verdict)
          return (
            <li key={photo.id} class={said ? 'doubtful' : undefined}>
              <img src={photo.url} alt={photo.name} width="64" height="64" loading="lazy" />
              <button type="button" aria-label={`Remove ${photo.name}`} onClick={() => onRemovePhoto(photo)}>
                ×
              </button>
              {said && <span>{said}</span>}
            </li>
          )
        })}
      </ul>
      <p>
        <label class="button">
          Add photos
          <input
            type="file"
            multiple
            accept="image/*"
            onChange={({ currentTarget }) => {
              onFiles([...(currentTarget.files ?? [])])
              currentTarget.value = ''
            }}
          />
        </label>{' '}
        <button type="button" onClick={onRemove}>
          Remove the class
        </button>
      </p>
    </section>
  )
}
