import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { z } from 'zod'
import { BlvitError } from '../../base/blvit-error.js'
import { parseJson, parseWith } from '../../base/parse.js'
import type { Classes, DataFormat, DataItem, DataSet } from '../data-set.js'
import { pictureExtensions } from '../find-files.js'
import { type TarMember, tarMembers } from '../tar-members.js'

/** WebDataset: members of a tar that share a name up to the first dot make a sample, `key.jpg` and `key.cls`. */
export const webDataset: DataFormat = {
  name: 'WebDataset',
  looks: 'a .tar of key.jpg and key.cls, key.json or key.txt (WebDataset)',
  recognises: async (path) => /\.(tar|tgz|tar\.gz)$/i.test(path),
  open: openTar,
}

async function openTar(path: string, classes: Classes): Promise<DataSet> {
  return {
    name: path,
    items: (options) => samplesOf(path, tarMembers(path, options), classes),
    async fingerprint() {
      const { size } = await stat(path)
      return createHash('sha256')
        .update(`${basename(path)} ${size}`)
        .digest('hex')
    },
  }
}

/** Members with one key, as they follow each other. */
interface Group {
  readonly key: string
  readonly members: Map<string, TarMember>
}

async function* samplesOf(
  path: string,
  members: AsyncIterable<TarMember>,
  classes: Classes,
): AsyncGenerator<DataItem> {
  const seen = new Set<string>()
  let group: Group | undefined
  const finished = function* (): Generator<DataItem> {
    const item = group && itemOf(path, group, classes)
    if (item) yield seen.has(item.name) ? twice(path, item) : item
    if (item) seen.add(item.name)
  }
  for await (const member of members) {
    if (member.name === '' && member.content instanceof BlvitError) {
      // The archive's end is missing, and with it perhaps the label of the last group.
      if (group && Object.keys(labelMembers).some((extension) => group?.members.has(extension)))
        yield* finished()
      yield { name: basename(path), error: member.content, readShare: 1 }
      return
    }
    const [, key = '', extension = ''] = /^((?:.*\/)?[^/.]*)\.?([^/]*)$/s.exec(member.name) ?? []
    if (group?.key !== key || group.members.has(extension.toLowerCase())) {
      yield* finished()
      group = { key, members: new Map() }
    }
    group.members.set(extension.toLowerCase(), member)
  }
  yield* finished()
}

/** @returns undefined for a group without a picture, such as a README */
function itemOf(path: string, { key, members }: Group, classes: Classes): DataItem | undefined {
  const pictures = [...members].filter(([extension]) => pictureExtensions.has(extname(`x.${extension}`)))
  const [picture] = pictures
  if (!picture) return undefined
  const [extension, { content, readShare }] = picture
  const name = `${basename(path)}/${key}.${extension}`
  try {
    if (content instanceof BlvitError) throw content
    if (pictures.length > 1) {
      const names = pictures.map(([other]) => `.${other}`).join(' and ')
      throw new BlvitError('BAD_DATA', `${path}: ${key} has two pictures, ${names}; expected one.`, { key })
    }
    return { name, source: content, label: labelOf(path, key, members, classes), readShare }
  } catch (thrown) {
    if (!(thrown instanceof BlvitError)) throw thrown
    return { name, error: thrown, readShare }
  }
}

function twice(path: string, { name, readShare }: DataItem): DataItem {
  const error = new BlvitError('BAD_DATA', `${path} holds ${name} more than once; the first one counts.`, {
    name,
  })
  return { name, error, readShare }
}

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

function labelOf(path: string, key: string, members: Group['members'], classes: Classes): number | undefined {
  for (const [extension, read] of Object.entries(labelMembers)) {
    const content = members.get(extension)?.content
    if (content === undefined) continue
    if (content instanceof BlvitError) throw content
    const where = `${path}, member ${key}.${extension}`
    return classes.find(read(Buffer.from(content).toString('utf8').trim(), where), where)
  }
  return undefined
}
