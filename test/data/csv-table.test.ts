import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCsv } from '../../src/data/csv-table.js'
import { temporaryFolder } from '../support/temporary-folder.js'

describe('a table in text', () => {
  const root = temporaryFolder()
  const path = join(root, 'labels.csv')
  const rowsOf = async (text: string | Uint8Array) => {
    writeFileSync(path, text)
    const { rows } = await readCsv(path, ['file', 'label'])
    return rows.map((row) => [row.cell('file'), row.cell('label'), Number(row.where.split(' ').at(-1))])
  }

  test.each([
    [',', 'comma'],
    [';', 'semicolon'],
    ['\t', 'tab'],
    ['|', 'bar'],
  ])('%j between its cells, whatever else they hold and however many lines it has', async (delimiter) => {
    const word = fc.stringMatching(/^[a-z][a-z ,;.|\t]{0,8}[a-z]$/)
    const rows = fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 12 })
    const endings = fc.constantFrom('\n', '\r\n')
    await fc.assert(
      fc.asyncProperty(rows, endings, fc.boolean(), fc.boolean(), async (list, ending, quoted, mark) => {
        const cell = (text: string) => (quoted || text.includes(delimiter) ? `"${text}"` : text)
        const lines = [['file', 'label'], ...list].map((row) => row.map(cell).join(delimiter))
        const text = `${mark ? '\uFEFF' : ''}${lines.join(ending)}${ending}`
        expect(await rowsOf(text)).toEqual(list.map(([file, label], i) => [file, label, i + 2]))
      }),
      { numRuns: 30 },
    )
  })

  test('empty lines count as lines and as nothing else', async () => {
    expect(await rowsOf('\n\nfile;label\n\na.jpg;cat\n;\n\nb.jpg;dog\n')).toEqual([
      ['a.jpg', 'cat', 5],
      ['b.jpg', 'dog', 8],
    ])
  })

  test('a cell of several lines', async () => {
    expect(await rowsOf('file,label\na.jpg,"two\nlines"\nb.jpg,dog')).toEqual([
      ['a.jpg', 'two\nlines', 2],
      ['b.jpg', 'dog', 4],
    ])
  })

  test('what Excel writes: its own line, and text in UTF-16', async () => {
    expect(await rowsOf('sep=;\r\nfile;label\r\na,b.jpg;cat\r\n')).toEqual([['a,b.jpg', 'cat', 3]])
    expect(await rowsOf(Buffer.from('\uFEFFfile\tlabel\r\na.jpg\tSão\r\n', 'utf16le'))).toEqual([
      ['a.jpg', 'São', 2],
    ])
  })

  test('headings decide, not the cells', async () => {
    expect(await rowsOf('file,label\na;b;c;d.jpg,cat;dog;cow\n')).toEqual([['a;b;c;d.jpg', 'cat;dog;cow', 2]])
    expect(await rowsOf('file;a,b,c;label\na.jpg;1,2,3;cat\n')).toEqual([['a.jpg', 'cat', 2]])
  })

  test.each([
    [
      'Latin-1',
      Buffer.from('file,label\na.jpg,S\u00e3o\n', 'latin1'),
      /is no text in UTF-8.*save it as "CSV UTF-8"/,
    ],
    ['bytes of a picture', Buffer.from('ffd8ffe000104a46', 'hex'), /is no text\./],
    ['a quote that never ends', 'file,label\na.jpg,1\n"b.jpg,1\n', /line 3: .*[Qq]uote/],
  ])('%s is refused', async (_, text, message) => {
    await expect(rowsOf(text)).rejects.toThrow(message)
  })
})
