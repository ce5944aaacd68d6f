// How good a model of one's own classes is, on data that nobody here made, beside what one would do otherwise:
//   node scripts/finetune-table.mjs <cifar10.tar.gz> [--counts 20,100,500] [--tested 2000] [--scratch]
//   node scripts/finetune-table.mjs <tars labelled with ImageNet classes…> --counts 20,100
// Prints a row of a table for each number of pictures a class. Time is that of the whole command, test pictures not counted.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  evaluate,
  findConfiguration,
  findRecipe,
  finetune,
  load,
  openDataSet,
  problems,
  train,
  writeModelFolder,
} from '../dist/index.js'
import { initialise } from '../dist/modules/model-store/initialise.js'

const { positionals: data, values } = parseArgs({
  allowPositionals: true,
  options: {
    counts: { type: 'string', default: '20,100,500' },
    tested: { type: 'string', default: '2000' },
    classes: { type: 'string', default: '10' },
    model: { type: 'string', default: 'vit-tiny' },
    layers: { type: 'string', default: 'head' },
    scratch: { type: 'boolean', default: false },
  },
})
const counts = values.counts.split(',').map(Number)
const tested = Number(values.tested)
const classes = Number(values.classes)
const folder = mkdtempSync(join(tmpdir(), 'blvit-finetune-'))
process.env.XDG_CACHE_HOME = join(folder, 'cache')
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** Pictures by class, in the order of the data. */
async function byClass(references, labels) {
  const found = new Map()
  for await (const item of (await openDataSet(references, { labels })).items()) {
    if (!('source' in item) || item.label === undefined) continue
    const list = found.get(item.label) ?? []
    list.push(typeof item.source === 'string' ? readFileSync(item.source) : item.source)
    found.set(item.label, list)
  }
  return found
}

function write(name, pictures, labels) {
  const path = join(folder, name)
  for (const [label, list] of pictures) {
    const of = join(path, labels[label].replace(/[/,].*/, '').trim())
    mkdirSync(of, { recursive: true })
    for (const [i, bytes] of list.entries())
      writeFileSync(join(of, `${String(i).padStart(5, '0')}.jpg`), bytes)
  }
  return path
}

const cut = (pictures, from, to) =>
  new Map([...pictures].map(([label, list]) => [label, list.slice(from, to)]))

/** Pictures to learn from and pictures to try it on. */
async function openData() {
  const [first] = data
  if (/cifar/.test(first)) {
    const labels = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']
    return {
      labels,
      learn: cut(await byClass(`${first}/train`, labels), 0, Math.max(...counts)),
      test: cut(await byClass(`${first}/test`, labels), 0, tested / labels.length),
    }
  }
  const model = await load('vit-tiny')
  const all = await byClass(data, model.labels)
  const most = new Map([...all].sort((a, b) => b[1].length - a[1].length).slice(0, classes))
  const each = Math.min(
    tested / classes,
    Math.min(...[...most.values()].map((list) => list.length)) - Math.max(...counts),
  )
  return { labels: model.labels, learn: cut(most, each), test: cut(most, 0, each) }
}

async function accuracyOf(path, test, options = {}) {
  const model = await load(path)
  const dataSet = await openDataSet(test, { labels: model.labels })
  const { results } = await evaluate(model, dataSet, options)
  return results[0].top1
}

/** What the head reads of each picture of a folder, by class. */
async function vectorsOf(path, folderOf) {
  const model = await load(path)
  const dataSet = await openDataSet(folderOf, { labels: model.labels })
  const [sources, own] = [[], []]
  for await (const item of dataSet.items()) {
    sources.push(item.source)
    own.push(item.label)
  }
  const answers = await model.answer(problems.headInput, sources, {})
  await model.dispose()
  return answers.map(({ answer }, i) => ({ vector: answer, label: own[i] }))
}

/** The best of k = 1, 5, 10, 20 nearest neighbours by cosine of standardised features: k is chosen on the test, in its favour. */
function neighbours(known, asked) {
  const width = known[0].vector.length
  const mean = new Float64Array(width)
  const deviation = new Float64Array(width)
  for (const { vector } of known) for (const [i, x] of vector.entries()) mean[i] += x / known.length
  for (const { vector } of known)
    for (const [i, x] of vector.entries()) deviation[i] += (x - mean[i]) ** 2 / known.length
  const unit = ({ vector }) => {
    const scaled = Float64Array.from(vector, (x, i) => (x - mean[i]) / Math.sqrt(deviation[i] || 1))
    const length = Math.hypot(...scaled)
    return scaled.map((x) => x / length)
  }
  const base = known.map(unit)
  const right = new Map([1, 5, 10, 20].map((k) => [k, 0]))
  for (const picture of asked) {
    const own = unit(picture)
    const near = base
      .map((other, i) => ({
        label: known[i].label,
        cosine: other.reduce((sum, x, j) => sum + x * own[j], 0),
      }))
      .sort((one, other) => other.cosine - one.cosine)
    for (const k of right.keys()) {
      const votes = new Map()
      for (const { label, cosine } of near.slice(0, k)) votes.set(label, (votes.get(label) ?? 0) + cosine)
      const [best] = [...votes].sort((one, other) => other[1] - one[1])
      if (best[0] === picture.label) right.set(k, right.get(k) + 1)
    }
  }
  return Math.max(...right.values()) / asked.length
}

/** The first so many of each class. */
function firstOf(vectors, count) {
  const seen = new Map()
  return vectors.filter(({ label }) => {
    seen.set(label, (seen.get(label) ?? 0) + 1)
    return seen.get(label) <= count
  })
}

/** A small ViT from random weights, for as many pictures as the seconds allow. */
async function fromScratch(learn, test, { labels, seconds }) {
  const start = join(folder, 'start')
  if (!existsSync(start)) {
    const architecture = await findConfiguration('vit-micro', { set: { num_classes: labels.length } })
    await writeModelFolder(start, { ...initialise(architecture), labels }, { card: '' })
  }
  const recipe = await findRecipe('from-scratch')
  const { reports } = await train(start, learn, recipe, { output: 'nothing', dryRun: true })
  const pictures = Math.max(64, Math.round(seconds * reports[0].imagesPerSecond))
  const output = join(folder, `scratch-${seconds}`)
  await train(start, learn, await findRecipe('from-scratch', { pictures }), { output })
  return { ...(await accuracyOf(output, test)), pictures }
}

const percent = (share) => `${(100 * share).toFixed(1)} %`
const { labels, learn, test } = await openData()
const testFolder = write('test', test, labels)
console.log(
  '| pictures a class | right | 95 % interval | by its own report | seconds | λ | k nearest | from nothing, same time |',
)
console.log('|---|---|---|---|---|---|---|---|')
let vectors
for (const count of counts.sort((a, b) => a - b)) {
  const learnFolder = write(`learn-${count}`, cut(learn, 0, count), labels)
  const output = join(folder, `model-${count}`)
  const start = performance.now()
  const { report } = await finetune(values.model, learnFolder, {
    output,
    layers: values.layers,
    cache: false,
  })
  const seconds = (performance.now() - start) / 1000
  const { share, low, high } = await accuracyOf(output, testFolder)
  // of the base model: the head that was fitted doesn't matter
  if (values.layers === 'head') {
    vectors ??= {
      known: await vectorsOf(output, write('learn', learn, labels)),
      asked: await vectorsOf(output, testFolder),
    }
  }
  const nearest = vectors && neighbours(firstOf(vectors.known, count), vectors.asked)
  const scratch = values.scratch
    ? await fromScratch(learnFolder, testFolder, {
        labels: report.classes.map(({ label }) => label),
        seconds,
      })
    : undefined
  const own = report.heldOut.accuracy
  const cells = [
    count,
    percent(share),
    `${percent(low)} to ${percent(high)}`,
    `${percent(own.share)} (${percent(own.low)} to ${percent(own.high)})`,
    seconds.toFixed(0),
    report.penalty,
    nearest === undefined ? '' : percent(nearest),
    scratch ? `${percent(scratch.share)} (${scratch.pictures} pictures)` : '',
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
