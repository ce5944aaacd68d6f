import { join as joinPath } from 'node:path'
import { BlvitError } from '../../src/base/blvit-error.js'
import type { Sample } from '../../src/data/data-set.js'
import { openDataSet } from '../../src/data/open-data-set.js'
import { decodeImage } from '../../src/image/node/decode.js'
import { join, mutateBytes } from './mutate-bytes.js'
import { mutateJson } from './mutate-json.js'
import type { Random } from './random.js'
import { type Files, seedPictures } from './seed-files.js'
import type { FuzzTarget } from './targets.js'

const labels = ['ant', 'bee, bumblebee', 'cat']
/** Where a class is called by another's number, all labels are read first. */
const numberedLabels = ['ant', 'bee, bumblebee, 2', '1']

/** Reads the whole data set; what is wrong with one of its items must be a BlvitError too. */
async function readAll(reference: string, modelLabels = labels): Promise<void> {
  const data = await openDataSet(reference, { labels: modelLabels })
  await data.fingerprint()
  let refused: BlvitError | undefined
  for await (const item of data.items()) {
    if ('error' in item) {
      if (!(item.error instanceof BlvitError)) throw item.error
      refused = item.error
    } else {
      requireInside(item.source)
      await decodeImage(item.source).catch((thrown: unknown) => {
        if (!(thrown instanceof BlvitError)) throw thrown
        refused = thrown
      })
    }
  }
  if (refused) throw refused
}

function requireInside(source: Sample['source']): void {
  const inside = typeof source !== 'string' || /[\\/]f[\\/](?!.*\.\.)/.test(source)
  if (!inside) throw new Error(`a sample lies outside the data: ${source}`)
}

/** The type of a tar's member, and names that lead out of a folder. */
const memberTypes = ['0', '0', '\0', '1', '2', '3', '5', '7', 'g', 'x', 'L', 'K', 'S', 'Z']
const memberNames = [
  '../../escape.jpg',
  '/tmp/escape.jpg',
  'C:\\escape.jpg',
  '..\\escape.jpg',
  'a\0b.jpg',
  '.jpg',
  '',
  '0.cls',
  '__proto__.jpg',
  '._0.jpg',
  '__MACOSX/._0.cls',
  './0.jpg',
  '1.JPG',
  '2.bmp',
  '2.HEIC',
  '2',
  `${'d/'.repeat(49)}.jpg`,
]
const memberSizes = [
  '00000000000',
  '77777777777',
  '-0000000001',
  '           ',
  '99999999999',
  '\x80\0\0\0\0\0\0\0\0\0\x01',
  '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff',
  '00004000000',
]

interface Member {
  readonly name: string
  readonly content: Uint8Array
  readonly type?: string
  /** as the header has it, 11 octal digits and a blank */
  readonly size?: string
  /** what a link leads to */
  readonly target?: string
}

const linkTargets = [
  '../../../etc/passwd',
  '/etc/passwd',
  '0.jpg',
  './1.jpg',
  '2.jpg',
  'loop.jpg',
  '',
  '0.cls',
  '..',
]

const pictures = seedPictures(['.jpg'])

/** A sound WebDataset of three samples. */
function members(random: Random): Member[] {
  const label = (content: string): Uint8Array => Buffer.from(content)
  return [
    { name: '0.jpg', content: random.pick(pictures) },
    { name: '0.cls', content: label('1') },
    { name: '1.jpg', content: random.pick(pictures) },
    { name: '1.json', content: label('{"label": 2, "text": "a"}') },
    { name: '2.jpg', content: random.pick(pictures) },
    { name: '2.txt', content: label('bumblebee') },
  ]
}

function changed(member: Member, random: Random): Member {
  return random.pick([
    () => ({ ...member, name: random.pick(memberNames) }),
    () => ({ ...member, type: random.pick(memberTypes) }),
    () => ({
      ...member,
      type: random.pick(['1', '2']),
      target: random.pick(linkTargets),
      content: new Uint8Array(0),
    }),
    () => ({ ...member, size: random.pick(memberSizes) }),
    () => ({ ...member, content: mutateBytes(member.content, random) }),
    () => ({ ...member, content: Buffer.from(mutateJson('{"label": 2}', random), 'latin1') }),
  ])()
}

function hostileTar(random: Random): Uint8Array {
  const some = members(random)
  if (random.chance(0.4)) return mutateBytes(tarOf(some), random)
  for (let left = 1 + random.integer(3); left > 0; left--) {
    const at = random.integer(some.length)
    some[at] = changed(some[at] as Member, random)
  }
  // parts a picture from its label
  if (random.chance(0.3)) some.push(...some.splice(random.integer(some.length), 1))
  return tarOf(some)
}

function tarOf(all: readonly Member[]): Uint8Array {
  return join(...all.flatMap(blocksOf), new Uint8Array(1024))
}

/** A header with the right check sum, and the content in whole blocks. */
function blocksOf({ name, content, type = '0', size, target = '../../../etc/passwd' }: Member): Uint8Array[] {
  const header = Buffer.alloc(512)
  header.write(name.slice(0, 100), 0, 'latin1')
  header.write('0000644\x000000000\x000000000\x00', 100, 'latin1')
  header.write(size ?? content.length.toString(8).padStart(11, '0'), 124, 'latin1')
  header.write('00000000000\x00        ', 136, 'latin1')
  header.write(type, 156, 'latin1')
  header.write(type === '1' || type === '2' ? target : '', 157, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((a, b) => a + b, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148, 'latin1')
  return [header, content, new Uint8Array((512 - (content.length % 512)) % 512)]
}

export const tarTarget: FuzzTarget = {
  name: 'tar',
  make: (random) => {
    const modelLabels = random.chance(0.2) ? numberedLabels : labels
    return {
      files: new Map([['data.tar', hostileTar(random)]]),
      run: (folder) => readAll(joinPath(folder, 'data.tar'), modelLabels),
    }
  },
}

const cifarLabels = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']

/** Some of CIFAR-10's records, whole or not. */
function hostileRecords(random: Random): Uint8Array {
  const records = new Uint8Array(3 * 3073).map((_, i) => (i % 3073 === 0 ? random.integer(11) : i))
  return random.chance(0.7) ? mutateBytes(records, random) : records
}

/** CIFAR-10 as a folder of batches, or in archives of both layouts. */
export const cifarTarget: FuzzTarget = {
  name: 'CIFAR-10',
  make: (random) => {
    const batch = { name: 'cifar-10-batches-bin/data_batch_1.bin', content: hostileRecords(random) }
    const picture = { name: 'train/cat/1.jpg', content: random.pick(pictures) }
    const archive = tarOf([random.chance(0.3) ? changed(batch, random) : batch, changed(picture, random)])
    const files: Files = new Map([
      ['data_batch_2.bin', hostileRecords(random)],
      ['cifar.tar', random.chance(0.4) ? mutateBytes(archive, random) : archive],
    ])
    const reference = random.pick([
      'train',
      'cifar.tar/train',
      'cifar.tar/test',
      'data_batch_2.bin',
      'cifar.tar',
    ])
    return { files, run: (folder) => readAll(joinPath(folder, reference), cifarLabels) }
  },
}

const cells = [
  '../../escape.jpg',
  '/etc/passwd',
  'C:\\a.jpg',
  '..\\a.jpg',
  'a.jpg/../../..',
  '"',
  '"""',
  ';',
  '\t',
  '\0',
  '',
  '-1',
  '3',
  '1e9',
  '99999999999999999999',
  'NaN',
  '__proto__',
  'constructor',
  'bee',
  ' ',
  '\ufeff',
  '\r',
  'a'.repeat(70_000),
  ','.repeat(20_000),
]

/** Changes cells of a sound list, or its bytes. */
function hostileCsv(random: Random): Uint8Array {
  const rows = [
    ['file', 'label'],
    ['a.jpg', '0'],
    ['b.jpg', 'bumblebee'],
    ['"c.jpg"', 'cat'],
    ['d.jpg', '-1'],
  ]
  if (random.chance(0.3)) return mutateBytes(Buffer.from(rows.map((row) => row.join()).join('\n')), random)
  for (let left = 1 + random.integer(3); left > 0; left--) {
    const row = random.pick(rows)
    row[random.integer(3)] = random.pick(cells)
  }
  const delimiter = random.pick([',', ';', '\t', '|'])
  if (random.chance(0.2)) rows.splice(random.integer(rows.length), 0, [])
  return Buffer.from(
    rows
      .map((row) => row.join(random.chance(0.1) ? random.pick([',', ';']) : delimiter))
      .join(random.pick(['\n', '\r\n', '\r'])),
  )
}

export const csvTarget: FuzzTarget = {
  name: 'labels.csv',
  make: (random) => {
    const files: Files = new Map([
      ['labels.csv', hostileCsv(random)],
      ...['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'].map((name) => [name, random.pick(pictures)] as const),
    ])
    const modelLabels = random.chance(0.2) ? numberedLabels : labels
    return { files, run: (folder) => readAll(folder, modelLabels) }
  },
}
