import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { aborted, BlvitError, messageOf } from '../base/blvit-error.js'
import { packageFile } from '../files/package-file.js'
import { withoutTelemetry } from '../runtime/node/telemetry.js'
import type { Workload } from './messages.js'

type PicturesWorkload = Extract<Workload, { kind: 'pictures' }>

interface FirstLabelOptions {
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const programs: Readonly<
  Record<PicturesWorkload['library'], (folder: string, picture: string, threads?: number) => string[]>
> = {
  blvit: (folder, picture, threads) => [
    packageFile('dist/cli/main.js', 'the command line'),
    ...['classify', picture, '--model', folder, '--device', 'cpu'],
    ...(threads === undefined ? [] : ['--threads', `${threads}`]),
  ],
  'transformers.js': (folder, picture, threads) => [
    fileURLToPath(new URL('./transformers-label.js', import.meta.url)),
    ...[folder, picture],
    ...(threads === undefined ? [] : [`${threads}`]),
  ],
}

/**
 * Starts a program that labels the first picture and ends: `blvit classify`, or a few lines on transformers.js.
 * @returns milliseconds from its start to its end
 * @throws BlvitError `ENGINE` with what the program complained of, `ABORTED`
 */
export async function firstLabel(
  { library, folder, pictures: [picture = ''] }: PicturesWorkload,
  { threads, signal }: FirstLabelOptions,
): Promise<number> {
  // transformers.js loads the same native library
  await withoutTelemetry()
  const start = performance.now()
  try {
    await promisify(execFile)(process.execPath, programs[library](folder, picture, threads), { signal })
  } catch (cause) {
    if (signal?.aborted) throw aborted()
    throw new BlvitError('ENGINE', `Measuring ${library}: ${messageOf(cause)}`, {}, { cause })
  }
  return performance.now() - start
}
