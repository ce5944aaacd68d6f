import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDataSet, ownClasses } from '../../../src/data/open-data-set.js'
import { hasSharedData, shared, withoutSharedData } from '../../support/shared-data.js'
import { temporaryFolder } from '../../support/temporary-folder.js'
import { itemsOf, labels } from '../items-of.js'

describe('a folder with labels.csv', () => {
  const root = temporaryFolder()
  const withList = (name: string, list: string | Uint8Array) => {
    mkdirSync(join(root, name), { recursive: true })
    writeFileSync(join(root, name, 'labels.csv'), list)
    return join(root, name)
  }
  const open = async (list: string | Uint8Array) => openDataSet(withList('one', list), { labels })

  test('numbers, names, quotes, other columns, no label, Windows lines and a byte order mark', async () => {
    const list =
      '\uFEFFsource,File,Label\r\nx,a.jpg,hen\r\nx,"b, c.jpg","Tench, Tinca tinca"\r\nx,d/e.jpg,-1\r\nx,f.jpg,\r\n\r\n'
    expect(await itemsOf(await open(list))).toEqual([
      ['a.jpg', 1],
      ['b, c.jpg', 0],
      ['d/e.jpg', undefined],
      ['f.jpg', undefined],
    ])
  })

  test('the list itself can be named', async () => {
    const folder = withList('one', 'file,label\na.jpg,1\n')
    expect(await itemsOf(await openDataSet(join(folder, 'labels.csv'), { labels }))).toEqual([['a.jpg', 1]])
  })

  test('bad rows are told with their line; the others can be used', async () => {
    const list = ['file,label', 'a.jpg,5', 'b.jpg,cow', 'c.jpg,1', './c.jpg,2', 'd.jpg', ',1', 'e.jpg,4']
    const items = await itemsOf(await open(list.join('\n')))
    const path = join(root, 'one/labels.csv')
    expect(items.map(([name, outcome]) => `${name}: ${outcome}`.replaceAll(path, 'labels.csv'))).toEqual([
      "a.jpg: labels.csv, line 2: label 5 is out of range: the model's classes are 0 to 4.",
      expect.stringMatching(/^b\.jpg: labels\.csv, line 3: the model has no class "cow"\./),
      'c.jpg: 1',
      './c.jpg: labels.csv, line 5: c.jpg is listed already (line 4).',
      'd.jpg: labels.csv, line 6 ends before the column label.',
      expect.stringMatching(/labels\.csv, line 7 names no file\.$/),
      'e.jpg: 4',
    ])
  })

  test.each([
    '../../secret.jpg',
    '/etc/secret.jpg',
    'a/../../secret.jpg',
    'C:\\secret.jpg',
    '..\\secret.jpg',
  ])('%s leads out of the folder and is not read', async (file) => {
    const [item] = await itemsOf(await open(`file,label\n"${file}",1\n`))
    expect(item?.[1]).toMatch(/line 2: .* leads out of the folder of the list, so it isn't read\.$/)
  })

  test.each([
    ['no columns of those names', 'picture,kind\na.jpg,1\n', /no column file \(or filename.*"picture,kind"/],
    ['no label', 'file\na.jpg\n', /no column label/],
    ['no headings', 'a.jpg,1\nb.jpg,2\n', /no column file/],
    ['nothing', '', /no column file/],
    ['no rows', 'file,label\n', /lists no pictures/],
    ['a quote that never ends', 'file,label\n"a.jpg,1\n', /labels\.csv, line \d+: .*[Qq]uote/],
    ['bytes of a picture', Buffer.from('ffd8ffe000104a46', 'hex'), /is no text/],
  ])('a list with %s is refused whole', async (_, list, message) => {
    await expect(open(list)).rejects.toThrow(message)
  })

  test.skipIf(!hasSharedData)(`the list of real pictures${withoutSharedData}`, async () => {
    const thousand = Array.from({ length: 1000 }, (_, i) => `class ${i}`)
    const data = await openDataSet(shared('imagenet-val-650'), { labels: thousand })
    expect(data.size).toBe(650)
    expect((await itemsOf(data))[0]).toEqual(['ILSVRC2012_val_00000347.JPEG', 472])
  })
})

describe('a labels.csv with several labels a picture', () => {
  const root = temporaryFolder()
  const open = async (list: string) => {
    writeFileSync(join(root, 'labels.csv'), list)
    const { several, labels: own } = await ownClasses(root)
    const dataSet = await openDataSet(root, { labels: own, several: 'as-written' })
    const items: (readonly number[] | string | undefined)[] = []
    for await (const item of dataSet.items()) items.push('error' in item ? item.error.code : item.labels)
    return { several, own, items, rule: dataSet.labelRule }
  }

  test.each([
    ['a bar between them', 'file,label\na.jpg,cat|dog\nb.jpg,dog\nc.jpg,\n'],
    ['a semicolon between them', 'file,label\na.jpg,cat; dog\nb.jpg,dog\nc.jpg,\n'],
    ['a heading in the plural', 'file,labels\na.jpg,cat|dog\nb.jpg,dog\nc.jpg,\n'],
    ['a column for each class', 'file,cat,dog\na.jpg,1,1\nb.jpg,0,1\nc.jpg,0,0\n'],
  ])('%s', async (_, list) => {
    const { own, several, rule, items } = await open(list)
    expect(own).toEqual(['cat', 'dog'])
    expect(items).toEqual([[0, 1], [1], []])
    expect(several).toContain('several labels a picture')
    expect(rule).toBe(several)
  })

  test('one label in each cell of a plural column is still several', async () => {
    const { several, items } = await open('file,tags\na.jpg,cat\nb.jpg,dog\n')
    expect(several).toContain('several labels')
    expect(items).toEqual([[0], [1]])
  })

  test('a comma is part of a label, and columns of other numbers are no classes', async () => {
    const { own, several } = await open('file,label\na.jpg,"hen, biddy"\nb.jpg,"cock, rooster"\n')
    expect(own).toEqual(['cock, rooster', 'hen, biddy'])
    expect(several).toBeUndefined()
    await expect(open('file,width,height\na.jpg,640,480\n')).rejects.toMatchObject({ code: 'BAD_DATA' })
  })
})
