import { useEffect } from 'preact/hooks'

/** A file, and the folder that it came in. */
export interface IncomingFile {
  readonly file: File
  /** The name of the dropped folder that it lay in; undefined: it came alone. */
  readonly folder: string | undefined
}

function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  return new Promise((resolve, reject) => {
    // browsers give them by hundreds; an empty answer is the end
    const more = () =>
      reader.readEntries((some) => {
        all.push(...some)
        if (some.length === 0) resolve(all)
        else more()
      }, reject)
    more()
  })
}

async function* filesIn(entry: FileSystemEntry, folder: string | undefined): AsyncGenerator<IncomingFile> {
  if (entry.name.startsWith('.')) return
  if (entry.isDirectory) {
    const children = await entriesOf(entry as FileSystemDirectoryEntry)
    for (const child of children) yield* filesIn(child, entry.name)
    return
  }
  const file = await new Promise<File>((resolve, reject) =>
    (entry as FileSystemFileEntry).file(resolve, reject),
  )
  yield { file, folder }
}

/** What was dropped, folders opened. */
async function filesOf(transfer: DataTransfer): Promise<IncomingFile[]> {
  // both lists are empty after the first await
  const files = [...transfer.files]
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? [])
  if (entries.length === 0) return files.map((file) => ({ file, folder: undefined }))
  const found: IncomingFile[] = []
  for (const entry of entries) for await (const file of filesIn(entry, undefined)) found.push(file)
  return found
}

/**
 * Takes files that are dropped anywhere on the page, or pasted.
 * @param active whether this is who takes them now
 */
export function useIncomingFiles(
  active: boolean,
  onFiles: (files: readonly IncomingFile[], target: EventTarget | null) => void,
): void {
  useEffect(() => {
    if (!active) return undefined
    const over = (event: DragEvent) => {
      event.preventDefault()
      document.body.classList.add('dropping')
    }
    const leave = () => document.body.classList.remove('dropping')
    const drop = async (event: DragEvent) => {
      event.preventDefault()
      leave()
      const { dataTransfer, target } = event
      const files = dataTransfer ? await filesOf(dataTransfer) : []
      if (files.length > 0) onFiles(files, target)
    }
    const paste = ({ clipboardData, target }: ClipboardEvent) => {
      const files = [...(clipboardData?.files ?? [])].map((file) => ({ file, folder: undefined }))
      if (files.length > 0) onFiles(files, target)
    }
    addEventListener('dragover', over)
    addEventListener('dragleave', leave)
    addEventListener('drop', drop)
    addEventListener('paste', paste)
    return () => {
      leave()
      removeEventListener('dragover', over)
      removeEventListener('dragleave', leave)
      removeEventListener('drop', drop)
      removeEventListener('paste', paste)
    }
  }, [active, onFiles])
}
