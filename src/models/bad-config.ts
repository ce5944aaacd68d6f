import { BlvitError, type ErrorFields } from '../base/blvit-error.js'

const complaint = 'config.json is not valid: '

/** A config.json whose values don't go together. @param text what is wrong and how to mend it, without the full stop */
export function badConfig(text: string, fields: ErrorFields = {}): BlvitError {
  return new BlvitError('BAD_CONFIG', `${complaint}${text}.`, fields)
}

/** What is wrong, for who didn't write the file. */
export function withoutComplaint({ message }: BlvitError): string {
  return message.replace(complaint, '')
}

/**
 * @param width what heads are to share, by its key @param heads how many they are, by its key
 * @throws BlvitError `BAD_CONFIG` where it isn't a multiple of them
 */
export function checkShared(
  width: Readonly<Record<string, number>>,
  heads: Readonly<Record<string, number>>,
): void {
  for (const [key, shared] of Object.entries(width)) {
    for (const [headsKey, count] of Object.entries(heads)) {
      if (shared % count !== 0) throw badConfig(`${key} ${shared} can't be shared by ${headsKey} ${count}`)
    }
  }
}
