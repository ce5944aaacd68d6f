import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { openDataSet } from '../../../src/data/open-data-set.js'
import { fixture } from '../../image/fixtures.js'
import { hasSharedData, shared, withoutSharedData } from '../../support/shared-data.js'
import { type TarEntry, tarBytes } from '../../support/tar-bytes.js'
import { temporaryFolder } from '../../support/temporary-folder.js'
import { itemsOf, labels } from '../items-of.js'

describe('a WebDataset tar', () => {
  const root = temporaryFolder()
  const tar = (bytes: Uint8Array, name = 'a.tar') => {
    writeFileSync(join(root, name), bytes)
    return join(root, name)
  }
  const open = (entries: readonly TarEntry[]) => openDataSet(tar(tarBytes(entries)), { labels })
  const picture = (name: string, sizeBytes = 700) => ({ name, content: Buffer.alloc(sizeBytes, name) })

  test('labels in .cls, .json and .txt, members in any order, no label, other members', async () => {
    const data = await open([
      { name: 'README.md', content: 'about' },
      picture('0001.jpg'),
      { name: '0001.cls', content: 'tabby cat\n' },
      { name: '0002.json', content: '{"label": "hen", "width": 3}' },
      picture('0002.PNG'),
      { name: 'sub/0003.txt', content: 'tabby' },
      picture('sub/0003.webp'),
      picture('0004.jpeg'),
      { name: 'folder', content: '', type: '5' },
      { name: 'link.jpg', content: '', type: '2' },
    ])
    expect(await itemsOf(data)).toEqual([
      ['a.tar/0001.jpg', 4],
      ['a.tar/0002.PNG', 1],
      ['a.tar/sub/0003.webp', 4],
      ['a.tar/0004.jpeg', undefined],
      ['a.tar/link.jpg', "link.jpg is a link to /etc/passwd, which the archive doesn't hold as a file."],
    ])
  })

  test('gives the bytes of the pictures, and says how far it is', async () => {
    const data = await open([picture('0001.jpg', 300_000), picture('0002.jpg', 600_000)])
    const shares: (number | undefined)[] = []
    for await (const item of data.items()) {
      shares.push(item.readShare)
      if (!('source' in item)) throw item.error
      const name = item.name.slice('a.tar/'.length)
      const { content } = picture(name, name === '0001.jpg' ? 300_000 : 600_000)
      expect(content.equals(item.source as Uint8Array)).toBe(true)
    }
    expect(shares[0]).toBeLessThan(0.7)
    expect(shares[1]).toBe(1)
  })

  test('bad labels, two pictures and a key that comes twice are told by name; the rest can be used', async () => {
    const items = await itemsOf(
      await open([
        picture('1.jpg'),
        { name: '1.cls', content: '99' },
        picture('2.jpg'),
        { name: '2.json', content: '{"label": ' },
        picture('3.jpg'),
        { name: '3.json', content: '{"label": [1]}' },
        picture('4.jpg'),
        picture('4.png'),
        picture('5.jpg'),
        picture('6.jpg'),
        picture('5.jpg'),
      ]),
    )
    expect(items.map(([name, outcome]) => `${name}: ${outcome}`.replaceAll(`${root}/`, ''))).toEqual([
      "a.tar/1.jpg: a.tar, member 1.cls: label 99 is out of range: the model's classes are 0 to 4.",
      expect.stringMatching(/^a\.tar\/2\.jpg: a\.tar, member 2\.json is not JSON/),
      expect.stringMatching(/^a\.tar\/3\.jpg: a\.tar, member 3\.json is not valid: label/),
      'a.tar/4.jpg: a.tar: 4 has two pictures, 4.jpg and 4.png; expected one.',
      'a.tar/5.jpg: undefined',
      'a.tar/6.jpg: undefined',
      'a.tar/5.jpg: a.tar holds 5.jpg more than once; the first one counts.',
    ])
  })

  test('names that lead elsewhere are only names', async () => {
    const items = await itemsOf(
      await open([picture('../../etc/x.jpg'), picture('/etc/y.jpg'), picture('\u001b[2Jz.jpg')]),
    )
    expect(items).toEqual([
      ['a.tar/../../etc/x.jpg', undefined],
      ['a.tar//etc/y.jpg', undefined],
      ['a.tar/\u001b[2Jz.jpg', undefined],
    ])
  })

  test('macOS’s doubles of files are passed over', async () => {
    const double = (name: string) => ({ name, content: Buffer.from('\u0000\u0005\u0016\u0007Mac OS X') })
    const items = await itemsOf(
      await open([
        ...[double('._1.jpg'), picture('1.jpg'), double('._1.cls'), { name: '1.cls', content: '1' }],
        ...[
          double('__MACOSX/a/._2.jpg'),
          double('a/._2.jpg'),
          picture('a/2.jpg'),
          { name: 'a/2.cls', content: '2' },
        ],
      ]),
    )
    expect(items).toEqual([
      ['a.tar/1.jpg', 1],
      ['a.tar/a/2.jpg', 2],
    ])
  })

  describe('members of one sample that lie apart', () => {
    const label = (name: string, content: string) => ({ name, content })

    test.each([
      ['pictures first', [picture('a.jpg'), picture('b.jpg'), label('a.cls', '1'), label('b.cls', '2')]],
      ['labels first', [label('b.cls', '2'), label('a.cls', '1'), picture('a.jpg'), picture('b.jpg')]],
      [
        'in another order',
        [picture('a.jpg'), label('b.cls', '2'), picture('b.jpg'), label('a.json', '{"label": 1}')],
      ],
      [
        'and a label beside',
        [picture('a.jpg'), label('a.cls', '1'), label('b.txt', '2'), picture('c.jpg'), picture('b.jpg')],
      ],
    ])('are joined: %s', async (_, entries) => {
      const items = await itemsOf(await open(entries))
      expect(items.filter(([name]) => name !== 'a.tar/c.jpg').sort()).toEqual([
        ['a.tar/a.jpg', 1],
        ['a.tar/b.jpg', 2],
      ])
    })

    test('in a gzipped one', async () => {
      const bytes = gzipSync(
        tarBytes([picture('a.jpg'), picture('b.jpg'), label('a.cls', '1'), label('b.cls', '2')]),
      )
      expect(await itemsOf(await openDataSet(tar(bytes, 'apart.tar.gz'), { labels }))).toEqual([
        ['apart.tar.gz/a.jpg', 1],
        ['apart.tar.gz/b.jpg', 2],
      ])
    })

    test('two labels that differ, and a label without a picture, are told by name', async () => {
      const items = await itemsOf(
        await open([
          picture('a.jpg'),
          picture('b.jpg'),
          label('a.cls', '1'),
          label('c.cls', '0'),
          label('a.cls', '2'),
        ]),
      )
      expect(items.map(([name, outcome]) => [name, `${outcome}`.replaceAll(`${root}/`, '')])).toEqual([
        ['a.tar/a.jpg', 'a.tar holds a.cls twice, with different labels.'],
        ['a.tar/b.jpg', 'undefined'],
        [
          'a.tar/c.cls',
          "a.tar: c.cls is the label of a picture that isn't there; expected c.jpg or the like.",
        ],
      ])
    })

    test('nobody looks for labels that don’t matter', async () => {
      const data = await openDataSet(tar(tarBytes([picture('a.jpg'), label('c.cls', 'x')])), {
        labels: 'ignored',
      })
      expect(await itemsOf(data)).toEqual([['a.tar/a.jpg', undefined]])
    })
  })

  test('links within the archive give the content of what they lead to', async () => {
    const link = (name: string, target: string, type: '1' | '2' = '1') => ({
      name,
      content: '',
      type,
      target,
    })
    const data = await open([
      { name: './all/1.jpg', content: Buffer.alloc(700, 'one') },
      { name: 'all/1.cls', content: '1' },
      link('hen/2.jpg', 'all/1.jpg'),
      { name: 'hen/2.cls', content: '2' },
      link('hen/3.JPG', '../all/1.jpg', '2'),
      link('hen/3.cls', '2.cls', '2'),
      link('hen/4.jpg', 'hen/3.JPG'),
      link('hen/5.jpg', 'hen/5.jpg'),
      link('hen/6.jpg', '../../outside.jpg', '2'),
      link('hen/notes', 'nowhere'),
      { name: 'hen/7.jpg', content: '', type: '3' },
    ])
    const found: [string, unknown][] = []
    for await (const item of data.items()) {
      const content = 'source' in item ? (item.source as Buffer).toString('latin1', 0, 6) : item.error.message
      found.push([item.name, 'label' in item ? [content, item.label] : content])
    }
    expect(Object.fromEntries(found)).toEqual({
      'a.tar/./all/1.jpg': ['oneone', 1],
      'a.tar/hen/2.jpg': ['oneone', 2],
      'a.tar/hen/3.JPG': ['oneone', 2],
      'a.tar/hen/4.jpg': ['oneone', undefined],
      'a.tar/hen/5.jpg': 'hen/5.jpg is a link to itself.',
      'a.tar/hen/6.jpg': "hen/6.jpg is a link to ../outside.jpg, which the archive doesn't hold as a file.",
      'a.tar/hen/7.jpg': 'hen/7.jpg is no file but a CharacterDevice, which holds no picture.',
    })
  })

  test('a picture by its content, and those that are refused when they are decoded', async () => {
    const png = readFileSync(fixture('rgb.png'))
    const items = await itemsOf(
      await open([
        { name: '1.data', content: png },
        { name: '1.cls', content: '1' },
        picture('2.HEIC'),
        { name: '3.npy', content: 'x' },
      ]),
    )
    expect(items).toEqual([
      ['a.tar/1.data', 1],
      ['a.tar/2.HEIC', undefined],
    ])
  })

  test('where classes are called by numbers, all labels are seen before the first is understood', async () => {
    const fromOne = ['1', '2', '3']
    const entries = [
      picture('a.jpg'),
      { name: 'a.cls', content: '1' },
      picture('b.jpg'),
      { name: 'b.cls', content: '2' },
    ]
    const first = tar(tarBytes(entries), 'one.tar')
    const names = await openDataSet(first, { labels: fromOne })
    expect((await itemsOf(names)).map(([, label]) => label)).toEqual([0, 1])
    const second = tar(tarBytes([picture('c.jpg'), { name: 'c.cls', content: '0' }]), 'two.tar')
    const numbers = await openDataSet([first, second], { labels: fromOne })
    expect((await itemsOf(numbers)).map(([, label]) => label)).toEqual([1, 2, 0])
    expect(numbers.labelRule).toBe('class numbers from 0, not names: no class is called "0"')
  })

  const two = [
    picture('1.jpg'),
    { name: '1.cls', content: '1' },
    picture('2.jpg'),
    { name: '2.cls', content: '2' },
  ]
  const firstBytes = tarBytes(two.slice(0, 2), { endMark: false }).length
  test.each([
    ['in the first picture', tarBytes(two).subarray(0, 900), []],
    ['in the second picture', tarBytes(two).subarray(0, firstBytes + 900), ['1.jpg']],
    ['between a picture and its label', tarBytes(two.slice(0, 3), { endMark: false }), ['1.jpg']],
    ['in a label', tarBytes(two).subarray(0, firstBytes + 2048), ['1.jpg']],
    ['before its end mark', tarBytes(two, { endMark: false }), ['1.jpg', '2.jpg']],
  ])('cut %s: the samples that are surely whole, and the name of the tar', async (_, bytes, whole) => {
    const items = await itemsOf(await openDataSet(tar(bytes), { labels }))
    expect(items.slice(0, -1).map(([name]) => name)).toEqual(whole.map((name) => `a.tar/${name}`))
    expect(items.at(-1)?.[1]).toMatch(/a\.tar is damaged or was cut off \(.*\): what comes after/)
  })

  test.each([
    ['no tar at all', Buffer.from('hello '.repeat(500))],
    ['nothing', Buffer.alloc(0)],
  ])('%s is told by name', async (_, bytes) => {
    const items = await itemsOf(await openDataSet(tar(bytes), { labels }))
    expect(items).toEqual([['a.tar', expect.stringMatching(/a\.tar is damaged/)]])
  })

  test('gzipped ones and globs', async () => {
    tar(gzipSync(tarBytes([picture('1.jpg')])), 'b-0.tar.gz')
    tar(gzipSync(tarBytes([picture('1.jpg')])), 'b-1.tgz')
    // neither is what it is called
    tar(gzipSync(tarBytes([picture('1.jpg')])), 'b-2.tar')
    tar(tarBytes([picture('1.jpg')]), 'b-3.tar.gz')
    const data = await openDataSet(join(root, 'b-*'), { labels })
    expect(await itemsOf(data)).toEqual([
      ['b-0.tar.gz/1.jpg', undefined],
      ['b-1.tgz/1.jpg', undefined],
      ['b-2.tar/1.jpg', undefined],
      ['b-3.tar.gz/1.jpg', undefined],
    ])
  })

  test.skipIf(!hasSharedData)(
    `real ones: 5,100 pictures, 3,346 with a label${withoutSharedData}`,
    async () => {
      const thousand = Array.from({ length: 1000 }, (_, i) => `class ${i}`)
      const items = await itemsOf(
        await openDataSet(shared('imagenet-distill-00[0-2].tar'), { labels: thousand }),
      )
      expect(items.length).toBe(5100)
      expect(items.filter(([, label]) => typeof label === 'number').length).toBe(3346)
      expect(items.filter(([, label]) => typeof label === 'string')).toEqual([])
    },
  )
})
