import type { IncomingFile } from '../photo/incoming-files.js'
import type { GivenModel } from './use-model.js'

interface ModelChooserProps {
  readonly model: GivenModel
  readonly onFiles: (files: readonly IncomingFile[]) => void
}

/** A field for a model's files, or for the folder that they lie in. */
function FilesField({
  label,
  isFolder,
  onFiles,
}: { readonly label: string; readonly isFolder: boolean } & Pick<ModelChooserProps, 'onFiles'>) {
  return (
    <label class="button">
      {label}
      <input
        type="file"
        multiple
        {...(isFolder ? { webkitdirectory: true } : { accept: '.json,.safetensors' })}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])].map((file) => ({ file, folder: undefined }))
          if (files.length > 0) onFiles(files)
          currentTarget.value = ''
        }}
      />
    </label>
  )
}

/** Says which model cuts out, and asks for one: none comes with the page. */
export function ModelChooser({ model, onFiles }: ModelChooserProps) {
  const { name, opening, failure } = model
  return (
    <section class="model" aria-label="Model">
      {name === undefined && opening === undefined ? (
        <p>
          <strong>This tab needs a model of yours.</strong> No Segment Anything model comes with this page:
          the smallest has 375 MB. Drop its folder here or choose it: config.json and model.safetensors, as{' '}
          <code>blvit convert sam_vit_b.pth --to sam-b -o my-sam</code> writes it. It stays on this machine.
        </p>
      ) : (
        <p role="status">{opening === undefined ? `Cuts out: ${name}` : `Opening ${opening} …`}</p>
      )}
      {failure && <p role="alert">{failure}</p>}
      <p>
        <FilesField
          label={name === undefined ? 'Choose a model’s folder' : 'Another model’s folder'}
          isFolder
          onFiles={onFiles}
        />{' '}
        <FilesField label="or its two files" isFolder={false} onFiles={onFiles} />
      </p>
    </section>
  )
}
