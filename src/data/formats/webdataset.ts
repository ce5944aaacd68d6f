import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { BlvitError } from '../../base/blvit-error.js'
import { formatByContent, formatByName, isOpenByName } from '../../image/picture-formats.js'
import type { DataFormat, DataItem, DataSet, FoundData } from '../data-set.js'
import type { LabelReader, WrittenLabel } from '../label-reader.js'
import { type TarMember, tarMembers } from '../tar-members.js'
import { labelsOf, type MemberLabel, partsOf, writtenLabel } from './webdataset-labels.js'

/** WebDataset: members of a tar that share a name up to the first dot make a sample, `key.jpg` and `key.cls`. */
export const webDataset: DataFormat = {
  name: 'WebDataset',
  looks: 'a .tar of key.jpg and key.cls, key.json or key.txt (WebDataset)',
  recognises: async (path) => /\.(tar|tgz|tar\.gz)$/i.test(path),
  find: async (path) => found(path),
}

function found(path: string): FoundData {
  return {
    readLabels: async () =>
      [...(await labelsOf(path)).values()].flatMap((label): readonly WrittenLabel[] =>
        label instanceof BlvitError ? [] : [label],
      ),
    withLabels: (reader) => tarSet(path, reader),
  }
}

function tarSet(path: string, reader: LabelReader | undefined): DataSet {
  return {
    name: path,
    get labelRule() {
      return reader?.rule
    },
    items: (options = {}) => new Samples(path, reader).read(options),
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
  /** By extension, in lower case. */
  readonly members: Map<string, TarMember>
}

/** One pass through the samples of a tar. */
class Samples {
  /** The picture of each key that came. */
  private readonly pictures = new Map<string, string>()
  /** Labels whose picture didn't come yet: the member's name by key. */
  private readonly waiting = new Map<string, string>()
  private apart: Promise<ReadonlyMap<string, MemberLabel>> | undefined

  constructor(
    private readonly path: string,
    private readonly reader: LabelReader | undefined,
  ) {}

  async *read(options: { signal?: AbortSignal | undefined }): AsyncGenerator<DataItem> {
    let group: Group | undefined
    for await (const member of tarMembers(this.path, options)) {
      if (member.name === '' && member.content instanceof BlvitError) {
        // The archive's end is missing, and with it perhaps the label of the last group.
        if (group && writtenLabel(this.path, group.key, group.members)) yield* this.finished(group, options)
        yield { name: basename(this.path), error: member.content, readShare: 1 }
        return
      }
      const { key, extension } = partsOf(member.name)
      if (group?.key !== key || group.members.has(extension)) {
        if (group) yield* this.finished(group, options)
        group = { key, members: new Map() }
      }
      group.members.set(extension, member)
    }
    if (group) yield* this.finished(group, options)
    for (const [key, member] of this.waiting) {
      const name = `${basename(this.path)}/${member}`
      const message = `${this.path}: ${member} is the label of a picture that isn't there; expected ${key}.jpg or the like.`
      yield { name, error: new BlvitError('BAD_DATA', message, { key }), readShare: 1 }
    }
  }

  private async *finished(
    group: Group,
    options: { signal?: AbortSignal | undefined },
  ): AsyncGenerator<DataItem> {
    const { key, members } = group
    const pictures = picturesOf(members)
    const [picture] = pictures
    if (!picture) {
      const label = members.get('cls')?.name
      if (label !== undefined && this.reader && !this.pictures.has(key)) this.waiting.set(key, label)
      return
    }
    this.waiting.delete(key)
    const { readShare, content } = picture
    const name = `${basename(this.path)}/${picture.name}`
    const earlier = this.pictures.get(key)
    this.pictures.set(key, earlier ?? picture.name)
    try {
      if (earlier !== undefined) throw twice(this.path, key, [earlier, picture.name])
      if (content instanceof BlvitError) throw content
      if (pictures.length > 1)
        throw twice(
          this.path,
          key,
          pictures.map((member) => member.name),
        )
      yield { name, source: content, label: await this.labelOf(group, options), readShare }
    } catch (thrown) {
      if (!(thrown instanceof BlvitError) || thrown.code === 'ABORTED') throw thrown
      yield { name, error: thrown, readShare }
    }
  }

  /** The label beside the picture, or else wherever it lies in the archive: tools that don't sort part them. */
  private async labelOf(
    { key, members }: Group,
    options: { signal?: AbortSignal | undefined },
  ): Promise<number | undefined> {
    if (!this.reader) return undefined
    let label = writtenLabel(this.path, key, members)
    if (label === undefined) {
      this.apart ??= labelsOf(this.path, options)
      label = (await this.apart).get(key)
    }
    if (label instanceof BlvitError) throw label
    return label && this.reader.classOf(label)
  }
}

/** Named as a picture; where none is, those that are one by their content. */
function picturesOf(members: Group['members']): readonly TarMember[] {
  const named = [...members].filter(([extension]) => formatByName(`x.${extension}`))
  const pictures =
    named.length > 0
      ? named
      : [...members].filter(
          ([extension, { content }]) =>
            isOpenByName(`x.${extension}`) && content instanceof Uint8Array && formatByContent(content),
        )
  return pictures.map(([, member]) => member)
}

function twice(path: string, key: string, names: readonly string[]): BlvitError {
  const [first, second] = names
  return new BlvitError(
    'BAD_DATA',
    first === second
      ? `${path} holds ${first} more than once; the first one counts.`
      : `${path}: ${key} has two pictures, ${names.join(' and ')}; expected one.`,
    { key },
  )
}
