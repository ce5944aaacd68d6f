import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findPictures } from '../../src/data/walk-pictures.js'
import { fixture } from '../image/fixtures.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const picture = readFileSync(fixture('rgb.png'))

describe('the pictures of a folder', () => {
  const root = temporaryFolder()
  let folders = 0
  /** A folder of files; `-> target` makes a link. */
  const folderOf = (files: Readonly<Record<string, string | Uint8Array>>) => {
    const folder = join(root, `${++folders}`)
    mkdirSync(folder)
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name)
      mkdirSync(dirname(path), { recursive: true })
      if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), path)
      else writeFileSync(path, content)
    }
    return folder
  }
  const filesIn = async (folder: string) => (await findPictures(folder)).files

  test('by every extension that a picture has, in any case, also of kinds that are refused when they are read', async () => {
    const names = [
      'a.jpg',
      'b.JPEG',
      'c.jpe',
      'd.jfif',
      'e.PNG',
      'f.webp',
      'g.gif',
      'h.tif',
      'i.TIFF',
      'j.avif',
      'k.bmp',
      'l.heic',
      'm.ico',
      'n.svg',
      'o.jxl',
    ]
    expect(await filesIn(folderOf(Object.fromEntries(names.map((name) => [name, 'x']))))).toEqual(names)
  })

  test('by content where the name says nothing', async () => {
    const folder = folderOf({ picture, 'photo.unknown': picture, 'no-picture': 'x', 'photo.txt': picture })
    expect(await findPictures(folder)).toMatchObject({
      files: ['photo.unknown', 'picture'],
      notes: [`${folder}: passed over 2 files (no-picture, photo.txt), no picture by name or content`],
    })
  })

  test('not what systems leave behind', async () => {
    const folder = folderOf({
      'cat/a.jpg': 'x',
      'cat/._a.jpg': 'x',
      'cat/.DS_Store': 'x',
      'cat/Thumbs.db': 'x',
      'cat/.thumbnails/a.jpg': 'x',
      '__MACOSX/cat/._a.jpg': 'x',
      'cat/@eaDir/a.jpg': 'x',
    })
    expect(await findPictures(folder)).toEqual({ files: ['cat/a.jpg'], folders: ['cat'], bad: [], notes: [] })
  })

  test('links that lead nowhere are named', async () => {
    const folder = folderOf({
      'a.jpg': '-> /nowhere/a.jpg',
      b: '-> gone',
      'c.jpg': '-> c.jpg',
      'notes.txt': '-> gone.txt',
    })
    const { files, bad } = await findPictures(folder)
    expect(files).toEqual([])
    expect(bad.map(({ name, error }) => [name, error.message.replace(`${folder}/`, '')])).toEqual([
      ['a.jpg', "a.jpg is a link that leads to /nowhere/a.jpg, which isn't there."],
      ['b', "b is a link that leads to gone, which isn't there."],
      ['c.jpg', 'c.jpg is a link that leads in a circle.'],
    ])
  })

  describe('links to folders', () => {
    const outside = join(root, 'outside')
    mkdirSync(join(outside, 'deep'), { recursive: true })
    writeFileSync(join(outside, 'o.jpg'), 'x')
    writeFileSync(join(outside, 'deep/p.jpg'), 'x')
    symlinkSync('..', join(outside, 'deep/up'))

    test.each([
      ['to the folder itself', { 'cat/a.jpg': 'x', 'cat/loop': '-> .' }, ['cat/a.jpg'], ['cat/loop (to .)']],
      [
        'to a parent',
        { 'cat/a.jpg': 'x', 'dog/b.jpg': 'x', 'dog/up': '-> ..' },
        ['cat/a.jpg', 'dog/b.jpg'],
        ['dog/up (to ..)'],
      ],
      [
        'to what holds the searched folder',
        { 'cat/a.jpg': 'x', 'cat/up': '-> ../..' },
        ['cat/a.jpg'],
        ['cat/up (to ../..)'],
      ],
      [
        'to another class',
        { 'cat/a.jpg': 'x', 'dog/cats': '-> ../cat' },
        ['cat/a.jpg'],
        ['dog/cats (to ../cat)'],
      ],
      [
        'that are a second name of a class',
        { 'cat/a.jpg': 'x', kitten: '-> cat' },
        ['cat/a.jpg'],
        ['kitten (to cat)'],
      ],
      [
        'out of it, once',
        { 'cat/one': `-> ${outside}`, 'dog/two': `-> ${outside}` },
        ['cat/one/deep/p.jpg', 'cat/one/o.jpg'],
        [`dog/two (to ${outside})`],
      ],
      ['to hidden ones', { '.store/a.jpg': 'x', cat: '-> .store' }, ['cat/a.jpg'], []],
      [
        'to a class’s folder from a deeper place',
        { 'a/deep/link': `-> ${outside}`, z: `-> ${outside}` },
        ['z/deep/p.jpg', 'z/o.jpg'],
        [`a/deep/link (to ${outside})`],
      ],
    ] as const)('%s', async (_, files, pictures, passedOver) => {
      const folder = folderOf(files)
      const { files: found, notes } = await findPictures(folder)
      expect(found).toEqual(pictures)
      for (const link of passedOver) expect(notes.join()).toContain(link)
    })

    test('to a place outside whose neighbours are classes of their own', async () => {
      const store = folderOf({
        'cat/a.jpg': 'x',
        'cat/dogs': '-> ../dog',
        'cat/all': '-> ..',
        'dog/b.jpg': 'x',
      })
      const folder = folderOf({ cat: `-> ${store}/cat`, dog: `-> ${store}/dog` })
      expect(await filesIn(folder)).toEqual(['cat/a.jpg', 'dog/b.jpg'])
    })
  })

  test('links to files count where they stand', async () => {
    expect(await filesIn(folderOf({ 'all/1.jpg': 'x', 'cat/2.jpg': '-> ../all/1.jpg' }))).toEqual([
      'all/1.jpg',
      'cat/2.jpg',
    ])
  })

  test.skipIf(process.platform === 'win32')(
    'what is no file but is called a picture is left to the decoder, which says so',
    async () => {
      const folder = folderOf({ 'a.jpg': 'x' })
      execFileSync('mkfifo', [join(folder, 'b.jpg'), join(folder, 'c')])
      expect(await filesIn(folder)).toEqual(['a.jpg', 'b.jpg'])
    },
  )

  test('a folder that isn’t there', async () => {
    await expect(findPictures(join(root, 'gone'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
