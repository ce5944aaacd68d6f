// Makes two tars of the labelled pictures of a tar that chose nothing: those behind the first so many, with which settings were
// chosen. A short side of 224 pixels marks those that are rich in detail among the pictures of the tars 003 to 006; others have 240.
//   npm run build && node scripts/second-set.mjs imagenet-distill-006.tar 500 <folder>
// Writes <folder>/detail.tar and <folder>/other.tar, and prints how many pictures each has.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { load, openDataSet } from '../dist/index.js'

const [data, first, folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node scripts/second-set.mjs <tar> <pictures to pass over> <folder>')
  process.exit(2)
}
const scratch = mkdtempSync(join(tmpdir(), 'blvit-second-'))
const found = { detail: 0, other: 0 }
for (const name of Object.keys(found)) mkdirSync(join(scratch, name))

// its labels are ImageNet's class numbers
const model = await load('vit-tiny')
const dataSet = await openDataSet(data, { labels: model.labels })
await model.dispose()
let place = 0
for await (const { name, source, label } of dataSet.items()) {
  place += 1
  if (place <= Number(first) || label === undefined) continue
  const { width, height } = await sharp(source).metadata()
  const set = Math.min(width, height) === 224 ? 'detail' : 'other'
  const key = name.replace(/^.*\//, '').replace(/\.\w+$/, '')
  writeFileSync(join(scratch, set, `${key}.jpg`), source)
  writeFileSync(join(scratch, set, `${key}.cls`), `${label}`)
  found[set] += 1
}
mkdirSync(folder, { recursive: true })
for (const [name, count] of Object.entries(found)) {
  execFileSync('tar', ['cf', join(folder, `${name}.tar`), '--sort=name', '-C', join(scratch, name), '.'])
  console.log(`${name}.tar: ${count} pictures`)
}
rmSync(scratch, { recursive: true })
