import { BlvitError } from '../../../base/blvit-error.js'

// The hub's own rules: letters, digits, `-`, `_`, `.`; no `--` or `..`, which also keeps paths and the
// cache's `models--owner--name` unambiguous.
const word = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?'
const idPattern = new RegExp(`^${word}/${word}$`)
const revisionPattern = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/

/** @throws BlvitError `BAD_OPTION` unless it is `owner/name` */
export function requireModelId(id: string): void {
  if (id.length <= 200 && idPattern.test(id) && !/--|\.\./.test(id)) return
  throw new BlvitError(
    'BAD_OPTION',
    `${JSON.stringify(id)} is not a model of the hub: give it as owner/name, e.g. "timm/vit_tiny_patch16_224".`,
    { id },
  )
}

/** @throws BlvitError `BAD_OPTION` unless it can be a branch, a tag or a commit */
export function requireRevision(revision: string): void {
  const words = revision.split('/')
  if (revisionPattern.test(revision) && !words.includes('..') && !words.includes('.')) return
  throw new BlvitError(
    'BAD_OPTION',
    `${JSON.stringify(revision)} is not a revision: give a branch, a tag or a commit, e.g. "main".`,
    { revision },
  )
}

/** A full commit hash: it names one state of a repository for ever, so its cache never goes stale. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision)
}
