import { z } from 'zod'
import { BlvitError } from '../../base/blvit-error.js'
import { parseJson, parseWith } from '../../base/parse.js'
import type { WrittenLabel } from '../label-reader.js'
import { type TarMember, tarMembers } from '../tar-members.js'

/** The key of a sample and what the member holds of it. */
export function partsOf(member: string): { key: string; extension: string } {
  const [, key = '', extension = ''] = /^(?:\.\/)*((?:.*\/)?[^/.]*)\.?([^/]*)$/s.exec(member) ?? []
  return { key, extension: extension.toLowerCase() }
}

/** A label of a sample, or why it can't be read. */
export type MemberLabel = WrittenLabel | BlvitError

const labelJson = z.looseObject({
  label: z.union([z.int(), z.string()]).optional(),
  cls: z.union([z.int(), z.string()]).optional(),
})

/** How the label stands in a member, by its extension; the first that is there counts. */
const labelMembers: Readonly<Record<string, (text: string, where: string) => string>> = {
  cls: (text) => text,
  json: (text, where) => {
    const { label, cls } = parseWith(labelJson, parseJson(text, where, 'BAD_DATA'), where, 'BAD_DATA')
    return `${label ?? cls ?? ''}`
  },
  txt: (text) => text,
}

/** The label among the members of a sample. */
export function writtenLabel(
  path: string,
  key: string,
  members: ReadonlyMap<string, TarMember>,
): MemberLabel | undefined {
  for (const extension of Object.keys(labelMembers)) {
    const member = members.get(extension)
    if (member) return labelIn(path, `${key}.${extension}`, extension, member)
  }
  return undefined
}

function labelIn(path: string, name: string, extension: string, { content }: TarMember): MemberLabel {
  if (content instanceof BlvitError) return content
  const where = `${path}, member ${name}`
  try {
    const text = labelMembers[extension]?.(Buffer.from(content).toString('utf8').trim(), where) ?? ''
    return { text: text.trim(), where }
  } catch (thrown) {
    if (!(thrown instanceof BlvitError)) throw thrown
    return thrown
  }
}

/** Every label of a tar by its sample's key. Reads all of the archive, and holds the labels alone. */
export async function labelsOf(
  path: string,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<ReadonlyMap<string, MemberLabel>> {
  const ranks = Object.keys(labelMembers)
  const labels = new Map<string, { readonly rank: number; readonly label: MemberLabel }>()
  for await (const member of tarMembers(path, options)) {
    const { key, extension } = partsOf(member.name)
    const rank = ranks.indexOf(extension)
    if (rank < 0) continue
    const earlier = labels.get(key)
    const label = labelIn(path, member.name, extension, member)
    if (earlier === undefined || rank < earlier.rank) labels.set(key, { rank, label })
    else if (rank === earlier.rank && differ(earlier.label, label)) {
      const message = `${path} holds ${member.name} twice, with different labels.`
      labels.set(key, { rank, label: new BlvitError('BAD_DATA', message, { key }) })
    }
  }
  return new Map([...labels].map(([key, { label }]) => [key, label]))
}

function differ(a: MemberLabel, b: MemberLabel): boolean {
  return a instanceof BlvitError || b instanceof BlvitError || a.text !== b.text
}
