import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openDataSet } from '../../../src/data/open-data-set.js'
import { temporaryFolder } from '../../support/temporary-folder.js'
import { itemsOf, labels } from '../items-of.js'

describe('an image folder', () => {
  const root = temporaryFolder()
  const folderOf = (name: string, files: readonly string[]) => {
    for (const file of files) {
      mkdirSync(dirname(join(root, name, file)), { recursive: true })
      if (!file.endsWith('/')) writeFileSync(join(root, name, file), 'x')
      else mkdirSync(join(root, name, file), { recursive: true })
    }
    return join(root, name)
  }

  test('takes the class from the folder, and one picture of each class in turn', async () => {
    const folder = folderOf('good', [
      'hen/b.jpg',
      'hen/a.JPEG',
      'hen/notes.txt',
      'tabby/deep/c.png',
      '.git/d.jpg',
    ])
    expect(await itemsOf(await openDataSet(folder, { labels }))).toEqual([
      ['hen/a.JPEG', 1],
      ['tabby/deep/c.png', 4],
      ['hen/b.jpg', 1],
    ])
  })

  test('where labels don’t matter, any folders will do, and pictures beside them', async () => {
    const folder = folderOf('album', ['2023/june/b.jpg', '2024/a.jpg', 'empty/', 'top.jpg'])
    expect(await itemsOf(await openDataSet(folder, { labels: 'ignored' }))).toEqual([
      ['2023/june/b.jpg', undefined],
      ['2024/a.jpg', undefined],
      ['top.jpg', undefined],
    ])
  })

  test('without class folders its pictures have no label', async () => {
    const folder = folderOf('flat', ['b.jpg', 'a.jpg'])
    expect(await itemsOf(await openDataSet(folder, { labels }))).toEqual([
      ['a.jpg', undefined],
      ['b.jpg', undefined],
    ])
  })

  test('folders without pictures beside pictures are about something else', async () => {
    const folder = folderOf('project', ['b.jpg', 'a.jpg', 'cluster/job.yaml', 'hen/'])
    expect(await itemsOf(await openDataSet(folder, { labels }))).toEqual([
      ['a.jpg', undefined],
      ['b.jpg', undefined],
    ])
  })

  test('an empty class folder and a picture outside are told by name; the rest can be used', async () => {
    const folder = folderOf('holes', ['hen/a.jpg', 'tabby/', 'lost.jpg'])
    expect(await itemsOf(await openDataSet(folder, { labels }))).toEqual([
      ['hen/a.jpg', 1],
      ['tabby', `The class folder ${join(folder, 'tabby')} holds no pictures.`],
      ['lost.jpg', `${join(folder, 'lost.jpg')} lies outside the class folders: its class is unknown.`],
    ])
  })

  test('folders that are no class are all named at once', async () => {
    const folder = folderOf('unknown', ['hne/a.jpg', 'crane/b.jpg', 'hen/c.jpg'])
    await expect(openDataSet(folder, { labels })).rejects.toThrow(
      /class folder .*crane: "crane" is the name of the classes 2 and 3.*\nclass folder .*hne: the model has no class "hne"\. Did you mean "hen"/,
    )
  })

  test('numbers that are names mean these; the data set says so', async () => {
    const fromOne = ['1', '2', '3']
    const names = await openDataSet(folderOf('from-1', ['1/a.jpg', '03/b.jpg']), { labels: fromOne })
    expect(await itemsOf(names)).toEqual([
      ['03/b.jpg', 2],
      ['1/a.jpg', 0],
    ])
    expect(names.labelRule).toBe("names of the model's classes, also where they are numbers")
    const numbers = await openDataSet(folderOf('from-0', ['0/a.jpg', '2/b.jpg']), { labels: fromOne })
    expect(await itemsOf(numbers)).toEqual([
      ['0/a.jpg', 0],
      ['2/b.jpg', 2],
    ])
    expect(numbers.labelRule).toBe('class numbers from 0, not names: no class is called "0"')
  })

  test('a folder without pictures, and one that is not there', async () => {
    await expect(openDataSet(folderOf('none', ['hen/a.txt']), { labels })).rejects.toThrow(
      /holds no pictures/,
    )
    await expect(openDataSet(join(root, 'godo'), { labels })).rejects.toThrow(
      /no file or folder .*Did you mean "good"/,
    )
  })

  test('several data sets follow each other, and their names tell which is which', async () => {
    const data = await openDataSet([folderOf('one', ['hen/a.jpg']), folderOf('two', ['tench/a.jpg'])], {
      labels,
    })
    expect(data.size).toBe(2)
    expect(await itemsOf(data)).toEqual([
      ['one/hen/a.jpg', 1],
      ['two/tench/a.jpg', 0],
    ])
  })

  test('the fingerprint changes with a file, not with the place', async () => {
    const fingerprint = async (name: string, files: readonly string[]) =>
      (await openDataSet(folderOf(name, files), { labels })).fingerprint()
    const first = await fingerprint('place-1', ['hen/a.jpg', 'hen/b.jpg'])
    expect(await fingerprint('place-2', ['hen/a.jpg', 'hen/b.jpg'])).toBe(first)
    writeFileSync(join(root, 'place-2/hen/b.jpg'), 'longer')
    expect(await fingerprint('place-2', [])).not.toBe(first)
  })
})
