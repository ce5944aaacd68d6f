import { countedPictures } from './quantities.js'

/** What a command gets from the process it runs in. */
export interface CliContext {
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal
  /** Results. Resolves once they are out, or can't be: then the signal has fired. */
  readonly out: (text: string) => Promise<void>
  /** Everything else: progress, notes, complaints. */
  readonly note: (text: string) => void
  /** True where the notes go to a terminal: progress may redraw its line. */
  readonly interactive: boolean
  /** Makes the process end with this code once the command is through. */
  readonly exitWith: (code: number) => void
}

/** Says how many pictures failed; the exit code is 1 then. */
export function endWith(
  { note, exitWith }: CliContext,
  { failures, of }: { readonly failures: number; readonly of: number },
): void {
  if (failures === 0) return
  note(`${failures} of ${countedPictures(of)} could not be used.`)
  exitWith(1)
}

/** All bytes of standard input. */
export async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks)
}
