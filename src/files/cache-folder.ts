import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { BlvitError, messageOf } from '../base/blvit-error.js'

/** A folder of ours in the user's cache; made if it isn't there. @throws BlvitError `WRITE_FAILED` */
export async function cacheFolder(name: string): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const folder = join(cache, 'blvit', name)
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    const message = `Can't make the folder ${folder}: ${messageOf(cause)}.`
    throw new BlvitError('WRITE_FAILED', message, { path: folder }, { cause })
  }
  return folder
}
