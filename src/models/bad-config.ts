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
